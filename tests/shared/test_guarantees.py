"""A guarantee is stated once, again only when it changed, and by two at once in order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from shared import clock, guarantees
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.topics import RELIEF_ASSISTANCE
from shared.db import Database
from shared.guarantees import Verdict
from shared.identity import new_id
from tests.conftest import DatabaseOf

VILLAGE, OTHER_VILLAGE = "331124100201", "331124100202"


@pytest.fixture
async def worker(database_of: DatabaseOf) -> AsyncIterator[Database]:
    """Relief's database; any service that gives guarantees would do."""
    database = Database((await database_of("relief")).worker_url, application_name="tests")
    yield database
    await database.close()


def verdict(household_id: UUID, *, met: bool, evidence: str = "e1", at: str = VILLAGE) -> Verdict:
    return Verdict(household_id=household_id, division_code=at, met=met, evidence_id=evidence)


async def give(worker: Database, *verdicts: Verdict) -> int:
    async with worker.transaction() as session:
        return await guarantees.give(session, RELIEF_ASSISTANCE, GuaranteeKind.LIVING, verdicts)


async def rows(worker: Database, query: str) -> list[dict[str, Any]]:
    async with worker.transaction() as session:
        return [dict(row) for row in (await session.execute(text(query))).mappings()]


async def told(worker: Database) -> list[tuple[int, bool, str]]:
    """Version, verdict and evidence of every event, oldest first."""
    found = await rows(worker, "SELECT aggregate_version, data FROM events ORDER BY id")
    read = [(row["aggregate_version"], orjson.loads(row["data"])) for row in found]
    return [(version, data["met"], data["evidence_id"]) for version, data in read]


async def test_only_what_changed_is_news(worker: Database) -> None:
    home = new_id()
    assert await give(worker, verdict(home, met=True)) == 1
    assert await give(worker, verdict(home, met=True)) == 0
    assert await give(worker, verdict(home, met=True, evidence="e2")) == 1
    assert await give(worker, verdict(home, met=False, evidence="e2")) == 1
    assert await told(worker) == [(1, True, "e1"), (2, True, "e2"), (3, False, "e2")]
    assert await give(worker) == 0


async def test_a_batch_publishes_its_news_alone(worker: Database) -> None:
    homes = [new_id() for _ in range(50)]
    assert await give(worker, *(verdict(home, met=True) for home in reversed(homes))) == 50
    turned = [verdict(home, met=home != homes[7]) for home in homes]
    assert await give(worker, *turned) == 1
    assert len(await told(worker)) == 51


async def test_since_is_the_day_the_answer_changed(worker: Database, tmp_path: Path) -> None:
    home, today = new_id(), clock.today()
    clock.configure(tmp_path / "clock.json", "development")
    try:
        await give(worker, verdict(home, met=True))
        clock.advance(timedelta(days=10))
        await give(worker, verdict(home, met=True, evidence="e2"))
        assert await _since(worker) == today
        await give(worker, verdict(home, met=False, evidence="e2"))
        assert await _since(worker) == today + timedelta(days=10)
    finally:
        clock.configure(None, "development")


async def _since(worker: Database) -> date:
    (row,) = await rows(worker, "SELECT since FROM guarantees_given")
    since: date = row["since"]
    return since


async def test_a_move_is_followed_without_a_word(worker: Database) -> None:
    home = new_id()
    await give(worker, verdict(home, met=True))
    assert await give(worker, verdict(home, met=True, at=OTHER_VILLAGE)) == 0
    (row,) = await rows(worker, "SELECT division_code, version FROM guarantees_given")
    assert row == {"division_code": OTHER_VILLAGE, "version": 1}


async def test_two_at_once_make_two_versions_in_order(worker: Database) -> None:
    home = new_id()
    await give(worker, verdict(home, met=True))
    both = [verdict(home, met=False, evidence=f"e{n}") for n in range(8)]
    await asyncio.gather(*(give(worker, each) for each in both))
    versions = [version for version, *_ in await told(worker)]
    assert versions == list(range(1, len(versions) + 1))
    (row,) = await rows(worker, "SELECT version, evidence_id FROM guarantees_given")
    assert (row["version"], row["evidence_id"]) == (versions[-1], (await told(worker))[-1][2])
