"""A service's commands for operators: ``python -m services.<service> --help``.

They act as the worker's role (migrations as the owner's) on this service's database alone.
"""

from pathlib import Path
from typing import Annotated

import typer

from shared import divisions, event_commands, migrations, workdays
from shared.command_line import Load, in_transaction, needing, out, refused_in_one_line

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]


def build(service: str, load: Load) -> typer.Typer:
    """The command line of ``service``; ``load`` reads its settings when a command runs."""
    commands = typer.Typer(no_args_is_help=True, help=f"Commands of {service}.")
    commands.add_typer(event_commands.build(service, load), name="events")
    commands.add_typer(_divisions(load), name="divisions")
    commands.add_typer(_calendar(load), name="calendar")

    @commands.command()
    def migrate() -> None:
        """Bring the database to this code's revision, as its owner."""
        settings = needing(load, "owner_database_url")
        migrations.upgrade(service, settings.owner_database_url)
        out.print(f"{service} is at revision {migrations.head(service)}")

    return commands


def _divisions(load: Load) -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True)

    @commands.callback()
    def group() -> None:
        """Division codes."""

    @commands.command("load")
    def load_divisions(file: File) -> None:
        """Load an edition of the divisions from a CSV file."""
        with refused_in_one_line(file):
            number = in_transaction(load, lambda s: divisions.load_csv(s, file))
        out.print(f"{number} divisions changed")

    return commands


def _calendar(load: Load) -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True)

    @commands.callback()
    def group() -> None:
        """Working days."""

    @commands.command("load")
    def load_calendar(
        file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False)] = None,
    ) -> None:
        """Load announced years from a CSV file; without one, the years known at build time."""
        with refused_in_one_line(file):
            number = in_transaction(
                load, lambda s: workdays.load_csv(s, file) if file else workdays.seed(s)
            )
        out.print(f"{number} days changed")

    return commands
