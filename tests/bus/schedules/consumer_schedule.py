"""One schedule of the consumer: members that come, fall and are cut off, on one database."""

import asyncio
import functools
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, cast
from unittest.mock import patch

from sqlalchemy.ext.asyncio import AsyncSession

from shared import applying, consumer, parking, watchdog
from shared.applying import Subscription
from shared.consumer import Consumer
from shared.contracts.envelope import Envelope
from shared.db import Database
from shared.producer import Place
from shared.watchdog import StalledError
from tests.bus.schedules.group import GROUP_FAULTS, Group, Member
from tests.bus.schedules.history import CHANGED, TOPIC, History, Kind
from tests.bus.schedules.listener import DATABASE_FAULTS, WRITE, ListenerDatabase
from tests.bus.schedules.schedule import Schedule

FAULTS = {
    **DATABASE_FAULTS,
    **GROUP_FAULTS,
    "sent twice": 0.3,
    "made anew": 0.1,
    "member killed": 0.6,
}
CALM = 400.0
"""Seconds in which all that is owed must come once no fault strikes any more."""


async def play(schedule: Schedule) -> None:
    """Let records come while members read and everything fails; then calm, and what is missing."""
    history = History(schedule)
    database, group = ListenerDatabase(schedule, history), Group(schedule, history)
    with ExitStack() as held:
        for change in _surroundings(schedule, group):
            held.enter_context(change)
        stop = asyncio.Event()
        around = [asyncio.ensure_future(group.run()), asyncio.ensure_future(group.disturb())]
        members = [
            asyncio.ensure_future(_keep_running(schedule, database, number, stop))
            for number in range(schedule.random.choice((1, 2, 2, 3)))
        ]
        await _grow(schedule, history, database)
        schedule.calm = True
        schedule.note("calm")
        await schedule.until(
            lambda: _reached(database, history), within=CALM, what="every offset at its end"
        )
        stop.set()
        await asyncio.wait(members, timeout=CALM)
        for task in around:
            task.cancel()
        await asyncio.wait(around)
    for each in members:
        if not each.done():
            schedule.violated("a member does not stop")
        else:
            each.result()
    _check_end(schedule, database, history)


def _reached(database: ListenerDatabase, history: History) -> bool:
    reached = database.tables.offsets_by_id()
    return all(
        reached.get((Place(*each), history.topic_id), 0) == len(log)
        for each, log in history.logs.items()
    )


def _check_end(schedule: Schedule, database: ListenerDatabase, history: History) -> None:
    """The newest good version stands, where nothing of the aggregate is parked."""
    parked = {(row["source"], row["aggregate_id"]) for row in database.tables.parked}
    for aggregate, version in history.newest.items():
        reached = database.tables.received.get(aggregate, 0)
        if reached != version and aggregate not in parked:
            schedule.violated(f"{aggregate} ends with {reached}, not {version}")
    broken = [
        (Place(*partition), record.offset)
        for partition, log in history.logs.items()
        for record in log
        if record.kind is Kind.BROKEN
    ]
    if not database.tables.parked_at.issuperset(broken):
        schedule.violated("a broken envelope is not parked")


def _surroundings(schedule: Schedule, group: Group) -> Sequence[Any]:
    member = functools.partial(Member, group)
    return (
        patch.object(consumer, "AIOKafkaConsumer", member),
        patch.object(watchdog, "AIOKafkaConsumer", member),
        *(patch.object(each, "driver_of", lambda session: session) for each in (applying, parking)),
        patch.object(watchdog, "LOOK_EVERY", 5.0),
        patch.object(consumer, "MAX_RECORDS", schedule.random.choice((2, 5, 1_000))),
    )


async def _grow(schedule: Schedule, history: History, database: ListenerDatabase) -> None:
    for _ in range(schedule.random.choice((3, 10, 30))):
        history.grow()
        await schedule.pass_time(schedule.random.choice((0.0, 2.0)))
        if schedule.strikes("restored"):
            database.restore()
    await schedule.pass_time(20.0)


async def on_notes(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """The listener's handler: blind to versions, and breaking on poison."""
    notes: Any = [  # the session is the one that stands in for PostgreSQL
        ((each.source, each.subject), each.aggregate_version, each.data == b"POISON")
        for each in envelopes
    ]
    await session.execute(WRITE, notes)


SUBSCRIPTIONS = (Subscription(TOPIC, frozenset({CHANGED}), (on_notes,)),)


async def _keep_running(
    schedule: Schedule, database: ListenerDatabase, number: int, stop: asyncio.Event
) -> None:
    """A supervisor: the process is killed at any moment and started again."""
    while not stop.is_set():
        await schedule.pass_time(2.0)
        one = Consumer(
            service="listener",
            database=cast("Database", database),
            subscriptions=SUBSCRIPTIONS,
            bootstrap_servers="",
            member=str(number),
        )
        running = asyncio.ensure_future(one.run(stop))
        if schedule.strikes("member killed"):
            await asyncio.wait([running], timeout=schedule.some(20.0))
            running.cancel()
        await asyncio.wait([running])
        if running.cancelled():
            continue
        error = running.exception()
        if error is not None and not isinstance(error, StalledError):
            schedule.violated(f"a member fell: {error!r}")
            return
