"""From the writer's transaction over real Kafka into the listener's: once, twice, late, skipped."""

from collections.abc import Mapping
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from shared import errors, events
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.events import NewEvent, partition_of
from shared.identity import new_id
from shared.replay import Selection, replay
from tests.bus import notes
from tests.bus.conftest import Path
from tests.bus.notes import Note, latest, note_down, running, scalar, write
from tests.support.waiting import until

FORGET = ("DELETE FROM applied", "DELETE FROM latest", "DELETE FROM received")


async def until_latest(path: Path, expected: Mapping[UUID, tuple[int, str]]) -> None:
    """Wait until the listener's rows are exactly these."""
    wanted = {str(household): row for household, row in expected.items()}

    async def arrived() -> bool:
        return await latest(path.listener) == wanted

    await until(arrived, what=f"{len(expected)} rows at the listener")


async def until_drained(path: Path) -> None:
    """Wait until the writer's outbox is empty."""

    async def drained() -> bool:
        return await scalar(path.writer, "SELECT count(*) FROM outbox") == 0

    await until(drained, what="an empty outbox")


async def until_applied_to_the_end(path: Path, messages: int) -> None:
    """Wait until the listener's offsets say that this many messages are behind it."""

    async def reached() -> bool:
        query = "SELECT coalesce(sum(next_offset), 0) FROM consumer_offsets"
        return await scalar(path.listener, query) == messages

    await until(reached, what=f"{messages} messages applied or skipped")


async def test_an_event_arrives_once(path: Path) -> None:
    household = new_id()
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (household, 1, "first"))
        await until_latest(path, {household: (1, "first")})
    assert await scalar(path.writer, "SELECT count(*) FROM outbox") == 0
    assert await scalar(path.writer, "SELECT count(*) FROM events") == 1


async def test_nothing_leaves_with_a_rolled_back_transaction(path: Path) -> None:
    kept, dropped = new_id(), new_id()
    async with running(path.relay().run, path.consumer().run):
        async with path.writer.transaction() as session:
            await note_down(session, [(dropped, 1, "never")])
            await session.rollback()
        await write(path.writer, (kept, 1, "kept"))
        await until_latest(path, {kept: (1, "kept")})
    assert await scalar(path.writer, "SELECT count(*) FROM events") == 1


async def test_a_repeated_event_changes_nothing(path: Path) -> None:
    household = new_id()
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (household, 1, "first"))
        await until_latest(path, {household: (1, "first")})
        # The same event again at a new offset: the offset row cannot see that, the guard does.
        assert await replay(path.writer, Selection(subject=str(household))) == 1
        await until_applied_to_the_end(path, 2)
    assert await scalar(path.listener, "SELECT count(*) FROM applied") == 1


async def test_versions_in_one_transaction_arrive_as_the_newest(path: Path) -> None:
    household = new_id()
    await write(path.writer, *[(household, version, f"v{version}") for version in range(1, 6)])
    async with running(path.relay().run, path.consumer().run):
        await until_latest(path, {household: (5, "v5")})
        await until_applied_to_the_end(path, 5)


async def test_a_late_older_version_is_dropped(path: Path) -> None:
    household = new_id()
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (household, 3, "third"))
        await until_latest(path, {household: (3, "third")})
        await write(path.writer, (household, 2, "late second"))
        await until_applied_to_the_end(path, 2)
        assert await latest(path.listener) == {str(household): (3, "third")}
        await write(path.writer, (household, 5, "fifth, the fourth never came"))
        await until_latest(path, {household: (5, "fifth, the fourth never came")})


async def test_an_unknown_type_is_skipped_and_counted(path: Path) -> None:
    household, other = new_id(), new_id()
    counted = {"service": "education", "topic": HOUSEHOLDS.name}
    before = REGISTRY.get_sample_value("bangfu_consumer_unknown_total", counted) or 0
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (household, 1, "unknown"), kind=notes.STRANGE)
        await write(path.writer, (other, 1, "known"))
        await until_latest(path, {other: (1, "known")})
        await until_applied_to_the_end(path, 2)
    assert REGISTRY.get_sample_value("bangfu_consumer_unknown_total", counted) == before + 1
    assert await scalar(path.listener, "SELECT count(*) FROM parked") == 0


async def test_an_unknown_version_of_a_known_type_stands_beside_the_known_one(path: Path) -> None:
    """A writer sends a breaking change beside the old version: this listener reads on as it did."""
    household, other = new_id(), new_id()
    counted = {"service": "education", "topic": HOUSEHOLDS.name}
    before = REGISTRY.get_sample_value("bangfu_consumer_unknown_total", counted) or 0
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (household, 1, "v1"), (other, 1, "another"))
        newer = notes.CHANGED.removesuffix("v1") + "v2"
        await write(path.writer, (household, 1, "the same as v2"), kind=newer)
        await write(path.writer, (household, 2, "v1 again"))
        await until_latest(path, {household: (2, "v1 again"), other: (1, "another")})
        await until_applied_to_the_end(path, 4)
    assert REGISTRY.get_sample_value("bangfu_consumer_unknown_total", counted) == before + 1
    assert await scalar(path.listener, "SELECT count(*) FROM parked") == 0


async def test_a_listener_that_was_down_catches_up(path: Path) -> None:
    households = [new_id() for _ in range(300)]
    async with running(path.relay().run):
        await write(path.writer, *[(household, 1, "a") for household in households])
        await write(path.writer, *[(household, 2, "b") for household in households])
        await until_drained(path)
    async with running(path.consumer().run):
        await until_latest(path, dict.fromkeys(households, (2, "b")))


async def test_a_consumer_goes_on_where_it_stopped(path: Path) -> None:
    first, second = new_id(), new_id()
    async with running(path.relay().run):
        async with running(path.consumer().run):
            await write(path.writer, (first, 1, "before"))
            await until_latest(path, {first: (1, "before")})
        await write(path.writer, (second, 1, "while it was away"))
        async with running(path.consumer().run):
            await until_latest(path, {first: (1, "before"), second: (1, "while it was away")})
    assert await scalar(path.listener, "SELECT count(*) FROM applied") == 2


async def test_offsets_of_the_database_win_over_kafkas(path: Path) -> None:
    """A listener restored from a backup takes again what it has lost, whatever Kafka remembers."""
    households = [new_id() for _ in range(20)]
    async with running(path.relay().run):
        async with running(path.consumer().run):
            await write(path.writer, *[(household, 1, "x") for household in households])
            await until_latest(path, dict.fromkeys(households, (1, "x")))
        async with path.listener.transaction() as session:
            await session.execute(text("UPDATE consumer_offsets SET next_offset = 0"))
            for forgetting in FORGET:
                await session.execute(text(forgetting))
        async with running(path.consumer().run):
            await until_latest(path, dict.fromkeys(households, (1, "x")))


async def test_an_offset_out_of_range_is_an_alarm_and_no_jump(path: Path) -> None:
    """The topic does not hold what the listener has yet to read: others flow, this one rests."""
    lost, flowing = new_id(), new_id()
    while partition_of(str(lost), 12) == partition_of(str(flowing), 12):
        flowing = new_id()
    number = partition_of(str(lost), 12)
    async with path.listener.transaction() as session:
        await session.execute(
            text("INSERT INTO consumer_offsets VALUES (:topic, :number, 1000)"),
            {"topic": HOUSEHOLDS.name, "number": number},
        )
    place = {"service": "education", "topic": HOUSEHOLDS.name, "partition": str(number)}
    async with running(path.relay().run):
        async with running(path.consumer().run):

            async def alarmed() -> bool:
                return REGISTRY.get_sample_value("bangfu_consumer_out_of_range", place) == 1

            await until(alarmed, what="the alarm")
            await write(path.writer, (lost, 1, "beyond reach"), (flowing, 1, "flows"))
            await until_latest(path, {flowing: (1, "flows")})
        async with path.listener.transaction() as session:
            await session.execute(text("DELETE FROM consumer_offsets WHERE next_offset = 1000"))
        async with running(path.consumer().run):
            await until_latest(path, {flowing: (1, "flows"), lost: (1, "beyond reach")})


async def test_replay_fills_a_new_listener_with_the_newest_of_each(path: Path) -> None:
    households = [new_id() for _ in range(50)]
    async with running(path.relay().run):
        for version in (1, 2, 3):
            await write(path.writer, *[(h, version, f"v{version}") for h in households])
        await until_drained(path)
        async with running(path.consumer().run):
            await until_latest(path, dict.fromkeys(households, (3, "v3")))
        async with path.listener.transaction() as session:
            for forgetting in FORGET:
                await session.execute(text(forgetting))
        assert await replay(path.writer, Selection(topic=HOUSEHOLDS.name), chunk=7) == 50
        assert await replay(path.writer, Selection(key=str(households[0]), newest_only=False)) == 3
        async with running(path.consumer().run):
            await until_latest(path, dict.fromkeys(households, (3, "v3")))


async def test_a_payload_over_the_limit_never_reaches_the_outbox(path: Path) -> None:
    household, other = new_id(), new_id()
    with pytest.raises(errors.TooLarge) as refused:
        await write(path.writer, (household, 1, "x" * events.MAX_DATA_BYTES))
    assert refused.value.status_code == 413
    assert await scalar(path.writer, "SELECT count(*) FROM note") == 0
    async with running(path.relay().run, path.consumer().run):
        await write(path.writer, (other, 1, "flows"))
        await until_latest(path, {other: (1, "flows")})


async def test_the_largest_payload_passes(path: Path) -> None:
    """Several of them in one partition: batches and rounds are bounded by bytes."""
    household = new_id()
    frame = len(Note(household_id=household, text="").model_dump_json())
    largest = "x" * (events.MAX_DATA_BYTES - frame)
    await write(path.writer, *[(household, version, largest) for version in range(1, 13)])
    async with running(path.relay().run, path.consumer().run):
        await until_latest(path, {household: (12, largest)})


async def test_a_handlers_events_carry_their_cause(path: Path) -> None:
    cause = events.Cause(correlation_id="c-1", event_id="e-1")
    household = new_id()
    with events.caused_by({str(household): cause}):
        await write(path.writer, (household, 1, "reaction"))
    async with path.writer.transaction() as session:
        row = (await session.execute(text("SELECT * FROM events"))).one()
    assert (row.correlation_id, row.causation_id) == ("c-1", "e-1")
    assert row.source == "/registry"


async def test_the_api_role_may_publish_and_not_read_the_history(path: Path) -> None:
    api = Database(path.writer_at.api_url, application_name="test", pool_size=1)
    try:
        household = new_id()
        await write(api, (household, 1, "by the api"))
        with pytest.raises(Exception, match="permission denied"):
            await scalar(api, "SELECT data FROM events")
    finally:
        await api.close()
    assert await scalar(path.writer, "SELECT count(*) FROM outbox") == 1


async def test_the_order_of_a_statement_is_the_order_of_the_outbox(path: Path) -> None:
    households = [new_id() for _ in range(500)]
    async with path.writer.transaction() as session:
        await events.publish(
            session,
            [
                NewEvent(
                    topic=HOUSEHOLDS,
                    type=notes.CHANGED,
                    subject=household,
                    version=position,
                    payload=Note(household_id=household, text="n"),
                )
                for position, household in enumerate(households, start=1)
            ],
        )
    async with path.writer.transaction() as session:
        rows = await session.execute(
            text("""
                SELECT e.aggregate_version, e.kafka_partition AS p, o.kafka_partition AS q
                FROM outbox o JOIN events e ON e.id = o.event_id ORDER BY o.id
            """)
        )
        found = rows.all()
    assert [row.aggregate_version for row in found] == list(range(1, 501))
    assert all(row.p == row.q for row in found)
