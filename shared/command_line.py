"""What the operators' commands share: settings, a database for the time of a command, output."""

import asyncio
import csv
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, crypto
from shared.auth import Caller, system_caller
from shared.db import Database
from shared.settings import MissingSettingsError, Settings

T = TypeVar("T")
Load = Callable[[], Settings]
Actor = Annotated[str, typer.Option(help="Officer id of the person who does this.")]
Because = Annotated[str, typer.Option(help="Why it is done; goes to the audit.")]

out = Console(markup=False, emoji=False)
"""What is printed is data: a reason that holds ``[/x]`` or ``:x:`` is no formatting."""

_STATEMENT_TIMEOUT_MS = 300_000  # re-driving everything may take its time


@contextmanager
def refused_in_one_line(file: Path | None = None) -> Iterator[None]:
    """Show a ValueError of what the operator gave, a ``file`` perhaps, without a traceback."""
    try:
        yield
    except (ValueError, csv.Error) as refused:
        where = "" if file is None or file.name in str(refused) else f"{file.name}: "
        raise typer.BadParameter(f"{where}{refused}") from refused


def needing(load: Load, name: str) -> Settings:
    """The settings, refused in one line when ``name`` is not set."""
    settings = load()
    try:
        settings.need(name)
    except MissingSettingsError as missing:
        raise typer.BadParameter(str(missing)) from missing
    crypto.configure(settings.key_file, settings.field_cipher)
    clock.configure(settings.clock_file, settings.env)
    return settings


def acting(service: str, actor: str) -> Caller:
    """The service itself, on the word of the officer ``actor``: who stands in the audit."""
    return replace(system_caller(service), officer_id=actor)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], None]]:
    """Show on the terminal how far long work has come; what is yielded hears the number so far."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=out,
        transient=True,
    ) as shown:
        task = shown.add_task(what)
        yield lambda number: shown.update(task, description=f"{number:,} {what}")


def with_database(load: Load, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run ``work`` on this service's database as its worker."""
    settings = needing(load, "worker_database_url")

    async def opened() -> T:
        database = Database(
            settings.worker_database_url,
            application_name=f"{settings.service}-command",
            pool_size=1,
            statement_timeout_ms=_STATEMENT_TIMEOUT_MS,
            lock_timeout_ms=30_000,
        )
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(opened())


def in_transaction(load: Load, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Run ``work`` in one transaction, committed when it returns."""

    async def within(database: Database) -> T:
        async with database.transaction() as session:
            return await work(session)

    return with_database(load, within)
