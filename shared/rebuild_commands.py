"""``events verify``, ``replay``, ``forget`` and ``restart``: copies brought back in step.

A listener's copy is compared (verify), its versions are forgotten where rows are wrong (forget),
and the writer sends its history again (replay), all of it while both services run.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import audit, forgetting, verifying
from shared.auth import Caller
from shared.command_line import (
    Actor,
    Because,
    Load,
    acting,
    in_transaction,
    needing,
    out,
    progress,
    refused_in_one_line,
    with_database,
)
from shared.db import Database
from shared.producer import Place
from shared.registry_client import RegistryClient, RegistryDownError, RegistryRefusedError
from shared.replay import Progress, Selection, replay
from shared.settings import ListenerSettings
from shared.verifying import Verdict, verify

Topic = Annotated[str | None, typer.Option(help="A topic, as `registry.households`.")]
Moment = Annotated[datetime | None, typer.Option(help="UTC, as 2026-11-23T08:00:00.")]
Key = Annotated[str | None, typer.Option(help="A Kafka key: a household's id.")]
Aggregate = Annotated[str | None, typer.Option(help="An aggregate's id.")]
Households = Annotated[list[UUID] | None, typer.Option("--household", help="A household's id.")]
Most = Annotated[int, typer.Option(min=1, help="Differences listed; all are counted.")]
Patience = Annotated[
    float, typer.Option(min=0, help="Seconds that a difference has to go away by itself.")
]


def add(events: typer.Typer, service: str, load: Load) -> None:
    """Add the commands of ``service`` to its group ``events``."""
    _add_verify(events, load)
    _add_replay(events, service, load)
    _add_forget(events, service, load)
    _add_restart(events, service, load)


def _add_verify(events: typer.Typer, load: Load) -> None:
    @events.command("verify")
    def verify_copy(*, patience: Patience = 15.0, most: Most = 100) -> None:
        """Compare the copy of the households with the registry; exit code 1 when they differ."""
        registry = _registry(load)

        async def work(database: Database) -> Verdict:
            with progress("households compared") as tell:
                async with registry.asking(
                    scopes=verifying.SCOPE, purpose=verifying.PURPOSE
                ) as ask:
                    return await verify(database, ask, patience=patience, tell=tell)

        try:
            verdict = with_database(load, work)
        except (RegistryDownError, RegistryRefusedError) as failed:
            raise typer.BadParameter(f"nothing was compared: {failed}") from failed
        _print_verdict(verdict, most)
        if verdict.differences:
            raise typer.Exit(1)


def _registry(load: Load) -> RegistryClient:
    settings = load()
    if not isinstance(settings, ListenerSettings):
        raise typer.BadParameter(f"{settings.service} keeps no copy of the households")
    needing(load, "registry_url")
    needing(load, "token_url")
    return RegistryClient(
        registry_url=settings.registry_url,
        token_url=settings.token_url,
        client_id=settings.client_name,
        secret_file=settings.client_secret_file,
    )


def _add_replay(events: typer.Typer, service: str, load: Load) -> None:
    @events.command("replay")
    def replay_history(
        *,
        topic: Topic = None,
        since: Moment = None,
        until: Moment = None,
        key: Key = None,
        aggregate: Aggregate = None,
        all_versions: Annotated[bool, typer.Option(help="Not only the newest of each.")] = False,
        after: Annotated[int, typer.Option(help="Go on with a replay broken off here.")] = 0,
        actor: Actor,
    ) -> None:
        """Send history again: what this service has published, from its own database."""
        selection = Selection(
            topic=topic,
            since=_utc(since),
            until=_utc(until),
            key=key,
            subject=aggregate,
            newest_only=not all_versions,
        )
        caller = acting(service, actor)
        number = with_database(load, lambda database: _replay(database, caller, selection, after))
        out.print(f"{number} events are in the outbox again")


async def _replay(database: Database, caller: Caller, selection: Selection, after: int) -> int:
    async with database.transaction() as session:
        await audit.record(
            session,
            caller,
            action="event.replayed",
            subject_type="topic",
            subject_id=selection.topic or "all",
            detail={**asdict(selection), "after": after},
        )
    reached = after
    with progress("events") as tell:

        def heard(done: Progress) -> None:
            nonlocal reached
            reached = done.last_id
            tell(done.enqueued)

        try:
            return await replay(database, selection, after_id=after, tell=heard)
        except BaseException:
            out.print(f"broken off: the same command with --after {reached} goes on")
            raise


def _add_forget(events: typer.Typer, service: str, load: Load) -> None:
    @events.command()
    def forget(
        *,
        household: Households = None,
        everything: Annotated[bool, typer.Option("--all", help="Every household.")] = False,
        actor: Actor,
        because: Because,
    ) -> None:
        """Forget which versions came, so that the registry's replay replaces the copies."""
        if everything == bool(household):
            raise typer.BadParameter("name households by --household, or say --all")
        caller = acting(service, actor)
        with refused_in_one_line():
            number = (
                with_database(load, lambda d: _forget_all(d, caller, because))
                if everything
                else in_transaction(
                    load,
                    lambda s: forgetting.forget(s, caller, household or [], because=because),
                )
            )
        out.print(
            f"{number} households forgotten; now, at the registry: "
            "events replay --topic registry.households"
        )


async def _forget_all(database: Database, caller: Caller, because: str) -> int:
    with progress("households forgotten") as tell:
        return await forgetting.forget_all(database, caller, because=because, tell=tell)


def _add_restart(events: typer.Typer, service: str, load: Load) -> None:
    @events.command()
    def restart(topic: str, partition: int, *, actor: Actor) -> None:
        """Begin a partition at its first offset when the stored one is out of range."""
        place, caller = Place(topic, partition), acting(service, actor)
        rows = in_transaction(load, lambda s: _forget_offset(s, caller, place))
        out.print(f"{rows} offset forgotten: the worker goes on from the partition's beginning")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC)


async def _forget_offset(session: AsyncSession, caller: Caller, place: Place) -> int:
    rows = await session.execute(
        _FORGET_OFFSET, {"topic": place.topic, "partition": place.partition}
    )
    forgotten = [row.next_offset for row in rows]
    await audit.record(
        session,
        caller,
        action="event.offset_forgotten",
        subject_type="partition",
        subject_id=f"{place.topic}/{place.partition}",
        detail={"next_offset": forgotten},
    )
    return len(forgotten)


def _print_verdict(verdict: Verdict, most: int) -> None:
    shown: Sequence[verifying.Difference] = verdict.differences[:most]
    if shown:
        table = Table("household", "difference", "here", "registry", "what")
        for each in shown:
            what = ", ".join(each.fields) + (" (parked here)" if each.parked else "")
            here, registry = (str(v) if v is not None else "-" for v in (each.here, each.registry))
            table.add_row(str(each.household_id), each.kind, here, registry, what.strip())
        out.print(table)
    counts = dict.fromkeys(verifying.Kind, 0)
    for each in verdict.differences:
        counts[each.kind] += 1
    told = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
    where = ", ".join(verdict.divisions)
    out.print(f"{verdict.compared} households compared in {where}: {told or 'no difference'}")


_FORGET_OFFSET = text("""
    DELETE FROM consumer_offsets WHERE topic = :topic AND kafka_partition = :partition
    RETURNING next_offset
""")
