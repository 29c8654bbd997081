"""``events …``: what operators see of the event path and do about parked messages.

Re-driving, discarding and forgetting an offset name the person who does it and are audited.
"""

import importlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import audit, parking, redriving
from shared.applying import Subscription
from shared.auth import Caller, system_caller
from shared.command_line import Load, in_transaction, out, refused_in_one_line, with_database
from shared.parking import Which
from shared.producer import Place
from shared.replay import Selection, replay

Ids = Annotated[list[int] | None, typer.Argument(help="Numbers from `events parked`.")]
Aggregate = Annotated[str | None, typer.Option(help="An aggregate's id, with all behind it.")]
Topic = Annotated[str | None, typer.Option(help="A topic, as `registry.households`.")]
Reason = Annotated[str | None, typer.Option(help="Part of the reason's text.")]
All = Annotated[bool, typer.Option("--all", help="Every parked message.")]
Actor = Annotated[str, typer.Option(help="Officer id of the person who does this.")]
Because = Annotated[str, typer.Option(help="Why they are given up; goes to the audit.")]
Moment = Annotated[datetime | None, typer.Option(help="UTC, as 2026-11-23T08:00:00.")]
Key = Annotated[str | None, typer.Option(help="A Kafka key: a household's id.")]


def build(service: str, load: Load) -> typer.Typer:
    """The group ``events`` of ``service``."""
    events = typer.Typer(no_args_is_help=True, help="The event path: outbox, offsets, parked.")
    _add_looking(events, load)
    _add_redrive(events, service, load)
    _add_discard(events, service, load)
    _add_replay(events, load)
    _add_restart(events, service, load)
    return events


def _add_looking(events: typer.Typer, load: Load) -> None:
    @events.command()
    def status() -> None:
        """What waits to be sent, how far the listener has come, what is parked."""
        in_transaction(load, _print_status)

    @events.command()
    def parked(
        *, aggregate: Aggregate = None, topic: Topic = None, reason: Reason = None, limit: int = 100
    ) -> None:
        """List parked messages, oldest first."""
        which = Which(aggregate_id=aggregate, topic=topic, reason=reason)
        _print_parked(in_transaction(load, lambda s: parking.listing(s, which, limit=limit)))

    @events.command()
    def show(parked_id: int) -> None:
        """One parked message with its headers and payload."""
        _print_message(in_transaction(load, lambda s: parking.show(s, parked_id)), parked_id)


def _add_redrive(events: typer.Typer, service: str, load: Load) -> None:
    @events.command()
    def redrive(
        *,
        ids: Ids = None,
        aggregate: Aggregate = None,
        topic: Topic = None,
        reason: Reason = None,
        everything: All = False,
        actor: Actor,
    ) -> None:
        """Run the handlers again on parked messages, in the order of their versions."""
        which = _chosen(ids, aggregate, topic, reason, everything=everything)
        caller, subscriptions = _caller(service, actor), _subscriptions(service)
        done = with_database(
            load, lambda database: redriving.redrive_all(database, caller, subscriptions, which)
        )
        out.print(f"{done.handled} handled, {len(done.still_parked)} still parked")
        for parked_id, why in done.still_parked.items():
            out.print(f"  {parked_id}: {why}")
        if done.still_parked:
            raise typer.Exit(1)


def _add_discard(events: typer.Typer, service: str, load: Load) -> None:
    @events.command()
    def discard(
        *,
        ids: Ids = None,
        aggregate: Aggregate = None,
        topic: Topic = None,
        reason: Reason = None,
        everything: All = False,
        actor: Actor,
        because: Because,
    ) -> None:
        """Give parked messages up. What is parked behind them must be re-driven."""
        which = _chosen(ids, aggregate, topic, reason, everything=everything)
        caller = _caller(service, actor)
        with refused_in_one_line():
            number = in_transaction(
                load, lambda s: redriving.discard(s, caller, which, because=because)
            )
        out.print(f"{number} discarded")


def _add_replay(events: typer.Typer, load: Load) -> None:
    @events.command("replay")
    def replay_history(
        *,
        topic: Topic = None,
        since: Moment = None,
        until: Moment = None,
        key: Key = None,
        aggregate: Aggregate = None,
        all_versions: Annotated[bool, typer.Option(help="Not only the newest of each.")] = False,
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
        number = with_database(load, lambda database: replay(database, selection))
        out.print(f"{number} events are in the outbox again")


def _add_restart(events: typer.Typer, service: str, load: Load) -> None:
    @events.command()
    def restart(topic: str, partition: int, *, actor: Actor) -> None:
        """Begin a partition at its first offset when the stored one is out of range."""
        place, caller = Place(topic, partition), _caller(service, actor)
        rows = in_transaction(load, lambda s: _forget_offset(s, caller, place))
        out.print(f"{rows} offset forgotten: the worker goes on from the partition's beginning")


def _chosen(
    ids: Sequence[int] | None,
    aggregate: str | None,
    topic: str | None,
    reason: str | None,
    *,
    everything: bool,
) -> Which:
    """What the options narrow down to; nothing chosen is refused rather than taken for all."""
    if everything != (not ids and aggregate is None and topic is None and reason is None):
        raise typer.BadParameter(
            "name messages by number, --aggregate, --topic or --reason, or say --all"
        )
    return Which(ids=ids or None, aggregate_id=aggregate, topic=topic, reason=reason)


def _caller(service: str, actor: str) -> Caller:
    return replace(system_caller(service), officer_id=actor)


def _subscriptions(service: str) -> Sequence[Subscription]:
    """What the service's worker listens to. Looked up by name: shared imports no service."""
    found: Sequence[Subscription] = importlib.import_module(
        f"services.{service}.worker"
    ).SUBSCRIPTIONS
    return found


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


async def _print_status(session: AsyncSession) -> None:
    unsent = (await session.execute(_UNSENT)).one()
    out.print(f"unsent: {unsent.number}, oldest {unsent.age or 0:.1f} s")
    table = Table("topic", "partition", "next offset", title="applied")
    for row in await session.execute(_APPLIED):
        table.add_row(row.topic, str(row.kafka_partition), str(row.next_offset))
    out.print(table)
    for row in await session.execute(_PARKED):
        out.print(f"parked: {row.number} of {row.topic}, since {row.oldest}: {row.reason}")


def _print_parked(rows: Sequence[Any]) -> None:
    table = Table("id", "topic", "aggregate", "version", "type", "parked at", "reason")
    for row in rows:
        table.add_row(
            str(row.id),
            row.topic,
            row.aggregate_id or row.key or "-",
            str(row.aggregate_version or "-"),
            row.type or "-",
            row.parked_at.isoformat(timespec="seconds"),
            row.reason,
        )
    out.print(table)


def _print_message(row: Any, parked_id: int) -> None:
    if row is None:
        raise typer.BadParameter(f"there is no parked message {parked_id}")
    for name, value in row._mapping.items():  # noqa: SLF001 - the documented way to a row's fields
        if name != "data":
            out.print(f"{name}: {value}")
    try:
        pretty = orjson.dumps(orjson.loads(row.data or b"null"), option=orjson.OPT_INDENT_2)
        out.print(pretty.decode())
    except orjson.JSONDecodeError:
        out.print(repr(row.data))


_FORGET_OFFSET = text("""
    DELETE FROM consumer_offsets WHERE topic = :topic AND kafka_partition = :partition
    RETURNING next_offset
""")
_UNSENT = text("""
    SELECT count(*) AS number,
           CAST(extract(epoch FROM clock_timestamp() - min(enqueued_at)) AS float8) AS age
    FROM outbox
""")
_APPLIED = text("""
    SELECT topic, kafka_partition, next_offset FROM consumer_offsets ORDER BY 1, 2
""")
_PARKED = text("""
    SELECT topic, reason, count(*) AS number, min(parked_at) AS oldest FROM parked
    WHERE state = 'parked' GROUP BY topic, reason ORDER BY number DESC
""")
