"""``events …``: what operators see of the event path and do about parked messages.

Whatever changes something names the person who does it and is audited. What brings copies back in
step stands in rebuild_commands.py.
"""

import importlib
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from shared import event_status, parking, rebuild_commands, redriving
from shared.applying import Subscription
from shared.command_line import (
    Actor,
    Because,
    Load,
    acting,
    in_transaction,
    out,
    refused_in_one_line,
    with_database,
)
from shared.parking import Which

Ids = Annotated[list[int] | None, typer.Argument(help="Numbers from `events parked`.")]
Aggregate = Annotated[str | None, typer.Option(help="An aggregate's id, with all behind it.")]
Topic = Annotated[str | None, typer.Option(help="A topic, as `registry.households`.")]
Reason = Annotated[str | None, typer.Option(help="Part of the reason's text.")]
All = Annotated[bool, typer.Option("--all", help="Every parked message.")]


def build(service: str, load: Load) -> typer.Typer:
    """The group ``events`` of ``service``."""
    events = typer.Typer(no_args_is_help=True, help="The event path: outbox, offsets, parked.")
    _add_looking(events, load)
    _add_redrive(events, service, load)
    _add_discard(events, service, load)
    rebuild_commands.add(events, service, load)
    return events


def _add_looking(events: typer.Typer, load: Load) -> None:
    @events.command()
    def status() -> None:
        """What waits to be sent, how far the listener has come, what is parked and why."""
        event_status.show(load)

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
        caller, subscriptions = acting(service, actor), _subscriptions(service)
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
        caller = acting(service, actor)
        with refused_in_one_line():
            number = in_transaction(
                load, lambda s: redriving.discard(s, caller, which, because=because)
            )
        out.print(f"{number} discarded")


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


def _subscriptions(service: str) -> Sequence[Subscription]:
    """What the service's worker listens to. Looked up by name: shared imports no service."""
    found: Sequence[Subscription] = importlib.import_module(
        f"services.{service}.worker"
    ).SUBSCRIPTIONS
    return found


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
