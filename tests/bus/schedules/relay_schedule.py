"""One schedule of the relay: writers, one or two relays that come and go, a broker that fails."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import aiokafka.producer.producer
import asyncpg

from shared import producer, relay
from shared.relay import Relay
from tests.bus.schedules.broker import BROKER_FAULTS, Broker, Client, Mortal
from tests.bus.schedules.primary import Primary
from tests.bus.schedules.schedule import Schedule
from tests.bus.schedules.sessions import SESSION_FAULTS

FAULTS = {
    **SESSION_FAULTS,
    **BROKER_FAULTS,
    "slow to publish": 0.3,
    "long transaction": 0.3,
    "aborted": 0.3,
    "foreign transaction": 0.3,
    "relay killed": 0.6,
}
CALM = 400.0
"""Seconds in which all that is owed must come once no fault strikes any more."""


async def play(schedule: Schedule, make: Callable[..., Relay] = Relay) -> None:
    """Write while relays run and everything fails, then let it be calm and see what is missing."""
    primary = Primary(schedule)
    broker = Broker(schedule, primary)
    with ExitStack() as held:
        for change in _surroundings(schedule, primary, broker):
            held.enter_context(change)
        stop = asyncio.Event()
        relays = [
            asyncio.ensure_future(_keep_running(schedule, primary, make, stop))
            for _ in range(schedule.random.choice((1, 1, 2)))
        ]
        await _write(schedule, primary)
        schedule.calm = True
        schedule.note("calm")
        await schedule.until(lambda: not primary.outbox, within=CALM, what="outbox empty")
        stop.set()
        await asyncio.wait(relays, timeout=CALM)
        await asyncio.sleep(60.0)  # what was sent by who is gone may still arrive
    for each in relays:
        if not each.done():
            schedule.violated("a relay does not stop")
        else:
            each.result()
    if broker.lacking:
        schedule.violated(f"never sent: {sorted(event.int for event in broker.lacking)}")


def _surroundings(schedule: Schedule, primary: Primary, broker: Broker) -> Sequence[Any]:
    few = schedule.random.choice((1, 2, 5, 2_000))
    small = schedule.random.choice((300, 700, 1_000_000))
    return (
        patch.object(asyncpg, "connect", primary.connect),
        patch.object(
            aiokafka.producer.producer, "AIOKafkaClient", functools.partial(Client, broker)
        ),
        patch.object(producer, "AIOKafkaProducer", Mortal),
        patch.object(relay, "BUSY", 0.05),  # looks that find nothing show nothing
        patch.object(relay, "IDLE", 0.2),
        patch.object(relay, "ROWS_A_ROUND", few),
        patch.object(relay, "BYTES_A_ROUND", schedule.random.choice((20, 8_000_000))),
        patch.object(producer, "MAX_BATCH_BYTES", small),
    )


async def _write(schedule: Schedule, primary: Primary) -> None:
    """Transactions on few aggregates, overlapping as they like."""
    names = [f"a{number}" for number in range(schedule.random.randint(1, 5))]
    writing = []
    for _ in range(schedule.random.choice((2, 4, 12))):
        chosen = [schedule.random.choice(names) for _ in range(schedule.random.randint(1, 3))]
        writing.append(asyncio.ensure_future(primary.write(chosen)))
        if schedule.strikes("foreign transaction"):
            writing.append(asyncio.ensure_future(primary.foreign(schedule.some(60.0))))
        await schedule.pass_time(schedule.random.choice((0.0, 1.0, 5.0)))
    await asyncio.gather(*writing)


async def _keep_running(
    schedule: Schedule, primary: Primary, make: Callable[..., Relay], stop: asyncio.Event
) -> None:
    """A supervisor: the process is killed at any moment and started again."""
    while not stop.is_set():
        one = make(
            service="writer",
            database_url="",
            bootstrap_servers="",
            send_deadline=schedule.random.choice((2.0, 15.0)),
        )
        primary.relays.append(one)
        running = asyncio.ensure_future(one.run(stop))
        if schedule.strikes("relay killed"):
            await asyncio.wait([running], timeout=schedule.some(20.0))
            if not running.done():
                running.cancel()
                await asyncio.wait([running], timeout=CALM)
                if not running.cancelled():
                    schedule.violated("a relay that was cancelled goes on")
                await schedule.pass_time(5.0)
        else:
            await running
        if not running.cancelled() and (error := running.exception()) is not None:
            schedule.violated(f"a relay fell: {error!r}")
            return
