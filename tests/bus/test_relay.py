"""The relay never skips a row and waits for nobody whom it need not wait for."""

import asyncio
import time

import asyncpg
from prometheus_client import REGISTRY
from sqlalchemy import text

from shared.identity import new_id
from shared.relay import LOCK
from tests.bus.conftest import Path
from tests.bus.notes import latest, note_down, running, scalar, write
from tests.bus.test_delivery import until_drained, until_latest
from tests.bus.test_wire import read_all
from tests.support.waiting import until


def active(service: str) -> float:
    """What the metric says of this relay."""
    return REGISTRY.get_sample_value("bangfu_relay_active", {"service": service}) or 0.0


async def test_a_lower_id_that_commits_later_is_sent(path: Path) -> None:
    early, late = new_id(), [new_id() for _ in range(12)]
    relay = path.relay()
    async with running(relay.run, path.consumer().run):
        async with path.writer.transaction() as session:
            await note_down(session, [(early, 1, "early id, late commit")])
            held = await session.scalar(text("SELECT max(id) FROM outbox"))
            for number, household in enumerate(late):
                await write(path.writer, (household, 1, str(number)))
                await until_drained_but(path, 0)
            # The relay has had its chances to pass the row that nobody sees yet.
            assert relay.floor.value < held
        await until_drained(path)
        wanted = {household: (1, str(number)) for number, household in enumerate(late)}
        await until_latest(path, {early: (1, "early id, late commit"), **wanted})


async def until_drained_but(path: Path, rows: int) -> None:
    async def sent() -> bool:
        return await scalar(path.writer, "SELECT count(*) FROM outbox") == rows

    await until(sent, what="what is visible to be sent")


async def test_a_write_transaction_in_another_database_stalls_nothing(path: Path) -> None:
    foreign = await asyncpg.connect(path.listener_at.worker_url)
    try:
        holding = foreign.transaction()
        await holding.start()
        await foreign.execute("INSERT INTO latest VALUES ('foreign', 1, 'held')")
        async with running(path.relay().run):
            await write(path.writer, (new_id(), 1, "first"))
            await until_drained(path)
            for _ in range(20):
                began = time.monotonic()
                await write(path.writer, (new_id(), 1, "x"))
                await until_drained(path)
                assert time.monotonic() - began < 2.0
        await holding.rollback()
    finally:
        await foreign.close()


async def test_the_floor_rises_under_a_long_reader(path: Path) -> None:
    reader = await asyncpg.connect(path.writer_at.worker_url)
    try:
        reading = reader.transaction(isolation="repeatable_read", readonly=True)
        await reading.start()
        await reader.fetchval("SELECT count(*) FROM outbox")
        relay = path.relay()
        async with running(relay.run):
            for _ in range(10):
                await write(path.writer, *[(new_id(), 1, "x") for _ in range(1000)])
            await until_drained(path)
            await write(path.writer, (new_id(), 1, "last"))

            async def risen() -> bool:
                return relay.floor.value >= 10_000

            await until(risen, what="the floor to pass ten thousand dead rows")
        await reading.rollback()
    finally:
        await reader.close()


async def test_one_of_two_relays_sends_and_the_other_takes_over(path: Path) -> None:
    first, second = path.relay(service="one"), path.relay(service="two")
    households = [new_id() for _ in range(3)]
    async with running(path.consumer().run), running(first.run) as stop_first:

        async def first_active() -> bool:
            return active("one") == 1

        await until(first_active, what="the first relay")
        async with running(second.run):
            await write(path.writer, (households[0], 1, "a"))
            await until_latest(path, {households[0]: (1, "a")})
            assert (active("one"), active("two")) == (1, 0)
            stop_first.set()

            async def second_active() -> bool:
                return active("two") == 1

            await until(second_active, what="the standby to take over")
            await write(path.writer, (households[1], 1, "b"))
            await until_latest(path, {households[0]: (1, "a"), households[1]: (1, "b")})
            assert active("one") == 0


async def test_a_relay_that_loses_its_session_stops_and_competes_again(path: Path) -> None:
    households = [new_id() for _ in range(200)]
    async with running(path.relay().run, path.consumer().run):
        for number, household in enumerate(households):
            await write(path.writer, (household, 1, "x"))
            if number % 50 == 25:
                await end_lock_owner(path)
        await until_latest(path, dict.fromkeys(households, (1, "x")))


async def end_lock_owner(path: Path) -> None:
    """Ends the database session that holds the relay's lock, once there is one."""
    owner = await asyncpg.connect(path.writer_at.worker_url)
    query = """
        SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND ((classid::bigint << 32) | objid::bigint) = $1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    try:

        async def ended() -> bool:
            return bool(await owner.fetchval(query, LOCK))

        await until(ended, what="a relay to hold the lock")
    finally:
        await owner.close()


async def test_killed_between_send_and_delete_means_duplicates_only(path: Path) -> None:
    households = [new_id() for _ in range(100)]
    await write(path.writer, *[(household, 1, "x") for household in households])
    topic = f"{path.prefix}registry.households"
    blocker = await asyncpg.connect(path.writer_at.worker_url)
    try:
        # Readers pass, DELETE waits: the relay has sent and cannot take the rows away.
        blocking = blocker.transaction()
        await blocking.start()
        await blocker.execute("LOCK TABLE outbox IN SHARE MODE")
        relay = asyncio.ensure_future(path.relay().run(asyncio.Event()))
        await asyncio.to_thread(read_all, path.kafka, topic, 100)
        relay.cancel()
        await asyncio.wait([relay])
        await blocking.rollback()
    finally:
        await blocker.close()
    assert await scalar(path.writer, "SELECT count(*) FROM outbox") == 100
    async with running(path.relay().run, path.consumer().run):
        await until_drained(path)
        await asyncio.to_thread(read_all, path.kafka, topic, 200)
        await until_latest(path, dict.fromkeys(households, (1, "x")))

        async def all_seen() -> bool:
            query = "SELECT sum(next_offset) FROM consumer_offsets"
            return await scalar(path.listener, query) == 200

        await until(all_seen, what="both copies to be read")
    assert await scalar(path.listener, "SELECT count(*) FROM applied") == 100
    assert len(await latest(path.listener)) == 100
