"""In a backlog the relay reads ahead, and still nothing is skipped, doubled or out of order."""

import asyncio
from collections import defaultdict
from uuid import UUID

import asyncpg
import pytest

from shared import relay as relays
from shared.contracts.topics import HOUSEHOLDS
from shared.floor import Floor
from shared.identity import new_id
from tests.bus.conftest import Path
from tests.bus.notes import note_down, running, write
from tests.bus.test_delivery import until_drained
from tests.bus.test_wire import headers_of, key_of, read_all


@pytest.fixture(autouse=True)
def small_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows a round, so that a few make a backlog."""
    monkeypatch.setattr(relays, "ROWS_A_ROUND", 3)


async def test_a_backlog_goes_out_once_and_in_order(path: Path) -> None:
    households = [new_id() for _ in range(4)]
    for version in range(1, 11):
        await write(path.writer, *[(each, version, "x") for each in households])
    async with running(path.relay().run):
        await until_drained(path)
    seen: dict[UUID, list[int]] = defaultdict(list)
    topic = path.prefix + HOUSEHOLDS.name
    for message in await asyncio.to_thread(read_all, path.kafka, topic, 40):
        version = int(headers_of(message)["ce_aggregateversion"])
        seen[UUID(key_of(message).decode())].append(version)
    assert seen == {each: list(range(1, 11)) for each in households}


async def test_a_row_that_appears_below_the_round_under_way_ends_the_reading_ahead(
    path: Path,
) -> None:
    relay, floor = path.relay(), Floor()
    connection = await asyncpg.connect(path.writer_at.worker_url)
    try:
        async with path.writer.transaction() as session:
            await note_down(session, [(new_id(), 1, "early id, late commit")])
            await write(path.writer, *[(new_id(), 1, "x") for _ in range(6)])
            under_way = await relay._look(connection, floor)
            ahead = await relay._look_ahead(connection, floor, under_way)
            assert ahead is not None
            ids = [row["id"] for look in (under_way, ahead) for row in look.rows]
            assert ids == sorted(set(ids))
            assert len(ids) == 6
        assert await relay._look_ahead(connection, floor, under_way) is None
    finally:
        await connection.close()
