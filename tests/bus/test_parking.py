"""What cannot be handled parks with its aggregate; all others flow; an operator mends it."""

import asyncio
import time
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest
from confluent_kafka import Producer
from prometheus_client import REGISTRY
from sqlalchemy import text

from shared import clock, parking, redriving
from shared.auth import Caller
from shared.contracts.envelope import Envelope
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.identity import new_id
from shared.parking import BEHIND, Which
from tests.bus import notes
from tests.bus.conftest import Path
from tests.bus.notes import execute, latest, running, scalar, write
from tests.bus.test_delivery import until_applied_to_the_end, until_latest
from tests.support.waiting import until

MENDER = Caller(sub="test", officer_id="o7", divisions=("",))


async def parked(path: Path) -> list[tuple[str | None, int | None, str]]:
    """(aggregate, version, reason) of what is parked, oldest first."""
    async with path.listener.transaction() as session:
        rows = await parking.listing(session, Which())
    return [(row.aggregate_id, row.aggregate_version, row.reason) for row in rows]


async def until_parked(path: Path, number: int) -> list[tuple[str | None, int | None, str]]:
    """Wait until so many messages are parked."""

    async def there() -> bool:
        return len(await parked(path)) == number

    await until(there, what=f"{number} parked messages")
    return await parked(path)


async def redrive(path: Path, which: Which) -> redriving.Redriven:
    """As the command does it."""
    async with path.listener.transaction() as session:
        return await redriving.redrive(session, MENDER, notes.SUBSCRIPTIONS, which)


async def heal(path: Path) -> None:
    """The fault is mended: the listener takes what it could not take."""
    await execute(path.listener_at.owner_url, "ALTER TABLE applied DROP CONSTRAINT no_poison")


async def test_poison_parks_its_aggregate_alone_and_redrive_restores_order(path: Path) -> None:
    sick, healthy = new_id(), [new_id() for _ in range(400)]
    async with running(path.relay().run, path.consumer().run):
        await write(
            path.writer,
            *[(household, 1, "fine") for household in healthy[:200]],
            (sick, 1, "poison"),
            *[(household, 1, "fine") for household in healthy[200:]],
        )
        await until_latest(path, dict.fromkeys(healthy, (1, "fine")))
        ((aggregate, version, reason),) = await until_parked(path, 1)
        assert (aggregate, version) == (str(sick), 1)
        assert reason == "CheckViolationError 23514 no_poison"

        await write(path.writer, (sick, 2, "follower"), (healthy[0], 2, "goes on"))
        await write(path.writer, (sick, 3, "another follower"))
        found = await until_parked(path, 3)
        assert [(v, r) for _, v, r in found[1:]] == [(2, BEHIND), (3, BEHIND)]
        wanted = {**dict.fromkeys(healthy, (1, "fine")), healthy[0]: (2, "goes on")}
        await until_latest(path, wanted)

        await heal(path)
        done = await redrive(path, Which(aggregate_id=str(sick)))
        assert (done.handled, done.still_parked) == (3, {})
        await until_latest(path, {**wanted, sick: (3, "another follower")})

        await write(path.writer, (sick, 4, "free again"))
        await until_latest(path, {**wanted, sick: (4, "free again")})
    assert await parked(path) == []
    assert await audited(path, "event.redriven") == 3


async def audited(path: Path, action: str) -> int:
    """Lines of the audit that say so and name the officer."""
    query = "SELECT count(*) FROM audit_log WHERE action = :action AND officer_id = 'o7'"
    number = await scalar(path.listener, query, action=action)
    assert isinstance(number, int)
    return number


async def test_many_sick_among_many(path: Path) -> None:
    """Bisection finds each one, errors of Python and of the database alike."""
    households = [new_id() for _ in range(600)]
    sick = {household: ("poison", "bug")[n % 2] for n, household in enumerate(households[::97])}
    fine = {household: (1, "fine") for household in households if household not in sick}
    await write(path.writer, *[(h, 1, sick.get(h, "fine")) for h in households])
    async with running(path.relay().run, path.consumer().run):
        await until_latest(path, fine)
        found = await until_parked(path, len(sick))
    assert {UUID(aggregate) for aggregate, _, _ in found if aggregate} == set(sick)
    assert "ValueError: a bug in the handler" in {reason for _, _, reason in found}


async def test_a_sick_version_keeps_what_came_before_it(path: Path) -> None:
    """Also when good and bad versions of one aggregate come in one batch."""
    household = new_id()
    await write(
        path.writer,
        (household, 1, "one"),
        (household, 2, "two"),
        (household, 3, "poison"),
        (household, 4, "four"),
        (household, 5, "poison"),
    )
    async with running(path.relay().run, path.consumer().run):
        found = await until_parked(path, 3)
        await until_latest(path, {household: (2, "two")})
    assert [version for _, version, _ in found] == [3, 4, 5]


async def test_what_fails_again_stays_parked_with_its_reason(path: Path) -> None:
    cured, hopeless = new_id(), new_id()
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (cured, 1, "poison"), (hopeless, 1, "bug"))
        await until_parked(path, 2)
    await heal(path)
    done = await redrive(path, Which())
    assert done.handled == 1
    assert list(done.still_parked.values()) == ["ValueError: a bug in the handler"]
    assert await latest(path.listener) == {str(cured): (1, "poison")}
    assert [aggregate for aggregate, _, _ in await parked(path)] == [str(hopeless)]


async def test_redrive_by_reason_takes_only_that(path: Path) -> None:
    one, other = new_id(), new_id()
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (one, 1, "poison"), (other, 1, "bug"))
        await until_parked(path, 2)
    await heal(path)
    done = await redrive(path, Which(reason="no_poison"))
    assert (done.handled, done.still_parked) == (1, {})
    assert [aggregate for aggregate, _, _ in await parked(path)] == [str(other)]


async def test_discard_names_who_and_why(path: Path) -> None:
    household = new_id()
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (household, 1, "poison"))
        await until_parked(path, 1)
        async with path.listener.transaction() as session:
            with pytest.raises(ValueError, match="reason"):
                await redriving.discard(session, MENDER, Which(), because=" ")
        async with path.listener.transaction() as session:
            assert await redriving.discard(session, MENDER, Which(), because="test data") == 1
        await write(path.writer, (household, 2, "whole state again"))
        await until_latest(path, {household: (2, "whole state again")})
    async with path.listener.transaction() as session:
        row = (await session.execute(text("SELECT state, resolved_by FROM parked"))).one()
    assert (row.state, row.resolved_by) == ("discarded", "o7")
    assert await audited(path, "event.discarded") == 1


async def test_a_broken_envelope_parks_alone(path: Path) -> None:
    household = new_id()
    strange = Producer({"bootstrap.servers": path.kafka})
    topic = path.prefix + HOUSEHOLDS.name
    strange.produce(topic, key=str(household), value=b"\x00\xff", headers={"ce_id": b"\xfe\x00"})
    strange.produce(topic, key=str(household), value=None)
    strange.produce(topic, key=None, value=b"{}", partition=3)
    assert await asyncio.to_thread(strange.flush, 30) == 0
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (household, 1, "of the same key"))
        await until_latest(path, {household: (1, "of the same key")})
        found = await until_parked(path, 3)
        assert all(reason.startswith("broken envelope: ") for _, _, reason in found)
        done = await redrive(path, Which())
        assert (done.handled, len(done.still_parked)) == (0, 3)
        async with path.listener.transaction() as session:
            kept = (
                await session.execute(
                    text("SELECT key, headers, data FROM parked WHERE data IS NOT NULL ORDER BY id")
                )
            ).first()
    assert kept is not None


async def test_headers_that_no_database_stores_park_alone(path: Path) -> None:
    """A NUL and a version past bigint would fail in the parking itself, for ever."""
    household, other = new_id(), new_id()
    strange = Producer({"bootstrap.servers": path.kafka})
    for change in (
        {"ce_subject": b"a\x00b"},
        {"ce_specversion": b"1\x000"},
        {"ce_aggregateversion": b"9" * 30},
    ):
        headers: dict[str, str | bytes | None] = {
            **dict(envelope_of(household).headers()),
            **change,
        }
        topic = path.prefix + HOUSEHOLDS.name
        strange.produce(topic, key=str(household), value=b"{}", headers=headers)
    assert await asyncio.to_thread(strange.flush, 30) == 0
    async with running(path.relay().run, path.consumer().run):
        found = await until_parked(path, 3)
        assert all(reason.startswith("broken envelope: ") for _, _, reason in found)
        await write(path.writer, (household, 1, "of the same key"), (other, 1, "another"))
        wanted = {household: (1, "of the same key"), other: (1, "another")}
        await until_latest(path, wanted)


def envelope_of(household: UUID) -> Envelope:
    """A sound one."""
    return Envelope(
        id=new_id(),
        source="/housing",
        type=notes.CHANGED,
        subject=str(household),
        time=clock.now(),
        key=str(household),
        aggregate_version=1,
        correlation_id="test",
        data=b"{}",
    )


async def test_many_are_redriven_in_several_transactions(path: Path) -> None:
    cured, hopeless = [new_id() for _ in range(5)], new_id()
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, *[(household, 1, "poison") for household in cured])
        await write(path.writer, (hopeless, 1, "bug"))
        await until_parked(path, 6)
        await write(path.writer, (cured[0], 2, "behind"))
        await until_parked(path, 7)
    await heal(path)
    done = await redriving.redrive_all(path.listener, MENDER, notes.SUBSCRIPTIONS, Which(), chunk=2)
    assert done.handled == 6
    assert list(done.still_parked.values()) == ["ValueError: a bug in the handler"]
    assert [aggregate for aggregate, _, _ in await parked(path)] == [str(hopeless)]
    assert await audited(path, "event.redriven") == 6


async def test_more_are_given_up_than_a_statement_has_parameters(path: Path) -> None:
    await execute(
        path.listener_at.owner_url,
        """
        INSERT INTO parked (topic, kafka_partition, kafka_offset, headers, reason)
        SELECT 'registry.households', 0, n, '[]', 'many' FROM generate_series(1, 40000) AS n
        """,
    )
    async with path.listener.transaction() as session:
        given_up = await redriving.discard(session, MENDER, Which(), because="a bad release")
    assert given_up == 40_000
    assert await parked(path) == []


async def test_trouble_that_passes_is_waited_out_and_not_parked(path: Path) -> None:
    """Someone holds the table longer than the listener's lock timeout."""
    households = [new_id() for _ in range(50)]
    async with AsyncExitStack() as held:
        holder = await asyncpg.connect(path.listener_at.owner_url)
        held.push_async_callback(holder.close)
        holding = holder.transaction()
        await holding.start()
        await holder.execute("LOCK TABLE latest IN ACCESS EXCLUSIVE MODE")
        impatient = Database(
            path.listener_at.worker_url, application_name="test", lock_timeout_ms=100
        )
        held.push_async_callback(impatient.close)
        consumer = path.consumer(database=impatient)
        async with running(path.relay().run, consumer.run):
            await write(path.writer, *[(household, 1, "x") for household in households])
            await until_retried(3)
            assert await scalar(path.listener, "SELECT count(*) FROM parked") == 0
            await holding.rollback()
            await until_latest(path, dict.fromkeys(households, (1, "x")))
    assert await scalar(path.listener, "SELECT count(*) FROM applied") == 50


async def until_retried(times: int) -> None:
    def count() -> float:
        name = "bangfu_consumer_retries_total"
        return REGISTRY.get_sample_value(name, {"service": "education"}) or 0.0

    before = count()

    async def often() -> bool:
        return count() >= before + times

    await until(often, what=f"{times} retries")


async def test_nothing_parks_behind_an_aggregate_while_it_is_freed(path: Path) -> None:
    """A re-drive and the listener at once: no follower is left behind by either."""
    household = new_id()
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (household, 1, "poison"))
        await until_parked(path, 1)
        await heal(path)
        deadline = time.monotonic() + 3
        version = 1

        async def keep_writing() -> None:
            nonlocal version
            while time.monotonic() < deadline and version < 60:
                version += 1
                await write(path.writer, (household, version, f"v{version}"))

        writing = asyncio.ensure_future(keep_writing())
        await until_parked_any(path)
        await redrive(path, Which())
        await writing
        await until_applied_to_the_end(path, version)
        assert await parked(path) == []
        await until_latest(path, {household: (version, f"v{version}")})


async def until_parked_any(path: Path) -> None:
    async def some() -> bool:
        return len(await parked(path)) >= 3

    await until(some, what="followers to park")
