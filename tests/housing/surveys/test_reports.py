"""Households arriving from the registry: dwellings, files, guarantees and hardship; twice, late."""

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from services.housing.households.handlers import on_households
from services.housing.surveys import actions
from shared import clock, household_copy
from shared.contracts.registry import State
from shared.db import Database
from tests.housing.support import (
    dweller,
    file_of,
    files,
    is_met,
    published,
    receive,
    regraded,
    rows,
    standing,
)
from tests.support.builders import household_event
from tests.support.waiting import until

TABLES = (
    "dwellings",
    "dangerous_house_files",
    "guarantees_given",
    "events",
    "outbox",
    "audit_log",
)


async def everything(worker: Database) -> list[dict[str, Any]]:
    """All that a report could have written, with the row versions of the database."""
    found = []
    for table in TABLES:
        query = f"SELECT xmin::text, t.* FROM {table} AS t ORDER BY 2, 3"  # noqa: S608 (above)
        found += await rows(worker, query)
    return found


async def test_every_household_gets_a_dwelling_and_a_dangerous_one_its_file(
    worker: Database,
) -> None:
    states = {grade: dweller(grade) for grade in ("A", "B", "C", "D", None)}
    await receive(worker, *states.values())
    found = await rows(worker, "SELECT household_id, grade, occupied, on_file FROM dwellings")
    assert {row["household_id"]: row["grade"] for row in found} == {
        state.household_id: grade for grade, state in states.items()
    }
    assert all(row["occupied"] and row["on_file"] for row in found)
    opened = {g: await files(worker, state.household_id) for g, state in states.items()}
    assert opened == {
        "A": [],
        "B": [],
        "C": [("C", "open", None)],
        "D": [("D", "open", None)],
        None: [],
    }
    assert await published(worker, "hardship.detected") == []


async def test_the_guarantee_is_stated_with_its_evidence(worker: Database) -> None:
    safe, dangerous, unknown = dweller("B"), dweller("C"), dweller(None)
    await receive(worker, safe, dangerous, unknown)
    file_id = await file_of(worker, dangerous.household_id)
    assert await is_met(worker, safe.household_id) == (True, 1, f"dwelling:{safe.household_id}")
    assert await is_met(worker, dangerous.household_id) == (False, 1, f"house-file:{file_id}")
    assert await is_met(worker, unknown.household_id) is None
    told = await published(worker, "guarantee.changed")
    assert {(one["topic"], one["kind"]) for one in told} == {("housing.assistance", "housing")}
    assert {one["household_id"]: one["met"] for one in told} == {
        str(safe.household_id): True,
        str(dangerous.household_id): False,
    }


@pytest.mark.parametrize("version", [2, 1, 0])
async def test_the_same_again_late_or_older_writes_nothing(worker: Database, version: int) -> None:
    states = [dweller(grade) for grade in ("A", "C", "D", None)]
    await receive(worker, *states, version=2)
    before = await everything(worker)
    older = [regraded(state, "D") for state in states]
    await receive(worker, *(states if version == 2 else older), version=version)
    assert await everything(worker) == before


async def test_a_newer_version_that_says_nothing_new_writes_nothing(worker: Database) -> None:
    states = [dweller(grade) for grade in ("A", "C", "D", None)]
    await receive(worker, *states)
    before = await everything(worker)
    later = [state.model_copy(update={"effective_from": date(2026, 6, 1)}) for state in states]
    await receive(worker, *later, version=2)
    assert await everything(worker) == before


async def test_a_new_d_signals_hardship_once_and_the_file_keeps_its_id(worker: Database) -> None:
    state = dweller("C")
    await receive(worker, state)
    file_id = await file_of(worker, state.household_id)
    worse = regraded(state, "D", effective_from=date(2026, 6, 1))
    for version in (2, 3, 2):
        await receive(worker, worse, version=version)
    assert await files(worker, state.household_id) == [("D", "open", None)]
    (told,) = await published(worker, "hardship.detected")
    assert (told["kind"], told["household_id"]) == ("dangerous_house", str(state.household_id))
    assert (told["version"], told["detected_on"]) == (1, clock.today().isoformat())
    (row,) = await rows(worker, "SELECT file_id, grade_history FROM dangerous_house_files")
    assert row["file_id"] == file_id
    assert row["grade_history"] == [
        {"grade": "C", "since": "2026-03-10"},
        {"grade": "D", "since": "2026-06-01", "hardship_id": told["hardship_id"]},
    ]


async def test_each_change_to_d_signals_anew(worker: Database) -> None:
    state = dweller(None)
    await receive(worker, state)
    for version, grade in enumerate(("D", "C", "D", None, "D"), start=2):
        await receive(worker, regraded(state, grade), version=version)
    told = await published(worker, "hardship.detected")
    assert len({one["hardship_id"] for one in told}) == len(told) == 3
    assert await files(worker, state.household_id) == [("D", "open", None)]


@pytest.mark.parametrize("corrected", ["A", "B"])
async def test_a_corrected_grade_closes_the_file_and_meets_the_guarantee(
    worker: Database, corrected: str
) -> None:
    state = dweller("D")
    await receive(worker, state)
    await receive(worker, regraded(state, corrected), version=2)
    assert await files(worker, state.household_id) == [("D", "closed", "grade_corrected")]
    dwelling = f"dwelling:{state.household_id}"
    assert await is_met(worker, state.household_id) == (True, 2, dwelling)
    await receive(worker, regraded(state, "C"), version=3)
    assert await files(worker, state.household_id) == [
        ("D", "closed", "grade_corrected"),
        ("C", "open", None),
    ]


async def test_a_closed_household_closes_its_file_and_leaves_the_coverage(
    worker: Database,
) -> None:
    state, never_seen = dweller("C"), standing(dweller("D"), State.CLOSED, date(2026, 6, 1))
    await receive(worker, state)
    gone = standing(state, State.CLOSED, date(2026, 6, 1), members=(), n=0)
    await receive(worker, gone, never_seen, version=2)
    assert await files(worker, state.household_id) == [("C", "closed", "household_closed")]
    assert await rows(worker, "SELECT household_id, on_file FROM dwellings") == [
        {"household_id": state.household_id, "on_file": False}
    ]
    met = await is_met(worker, state.household_id)
    assert met is not None
    assert met[:2] == (False, 1), "of a closed household nothing is said any more"


async def test_lifted_and_exited_households_are_watched_on(worker: Database) -> None:
    state = dweller("B")
    await receive(worker, state)
    lifted = standing(state, State.LIFTED, date(2026, 6, 1))
    await receive(worker, lifted, version=2)
    assert await files(worker, state.household_id) == []
    await receive(worker, regraded(lifted, "C"), version=3)
    assert await files(worker, state.household_id) == []
    met = await is_met(worker, state.household_id)
    assert met is not None
    assert met[0] is False
    await receive(worker, regraded(lifted, "D"), version=4)
    assert await files(worker, state.household_id) == [("D", "open", None)]
    assert len(await published(worker, "hardship.detected")) == 1
    await receive(
        worker, standing(regraded(lifted, "D"), State.RETURNED, date(2026, 7, 1)), version=5
    )
    assert await files(worker, state.household_id) == [("D", "open", None)]


async def test_a_returned_household_has_its_file_again_with_nothing_typed_in(
    worker: Database,
) -> None:
    lifted = standing(dweller("C"), State.LIFTED, date(2026, 6, 1))
    await receive(worker, lifted)
    assert await files(worker, lifted.household_id) == []
    await receive(worker, standing(lifted, State.RETURNED, date(2026, 7, 1)), version=2)
    assert await files(worker, lifted.household_id) == [("C", "open", None)]


async def test_rows_follow_a_household_that_moved_without_a_word(worker: Database) -> None:
    state, other = dweller("D"), dweller("D")
    await receive(worker, state, other)
    told = await rows(worker, "SELECT id FROM events")
    moved = state.model_copy(update={"division_code": "331124101001"})
    await receive(worker, moved, version=2)
    for table in ("dwellings", "dangerous_house_files", "guarantees_given"):
        query = f"SELECT household_id, division_code FROM {table}"  # noqa: S608 (named above)
        found = {row["household_id"]: row["division_code"] for row in await rows(worker, query)}
        assert found == {
            state.household_id: "331124101001",
            other.household_id: other.division_code,
        }
    assert await rows(worker, "SELECT id FROM events") == told


async def test_one_batch_does_all_its_households(worker: Database) -> None:
    states = [dweller("ABCD"[number % 4]) for number in range(200)]
    await receive(worker, *states)
    worse = [regraded(state, "D") for state in states]
    await receive(worker, *worse, version=2)
    found = await rows(worker, "SELECT grade, count(*) AS n FROM dangerous_house_files GROUP BY 1")
    assert found == [{"grade": "D", "n": 200}]
    assert len(await published(worker, "hardship.detected")) == 150


async def test_households_copied_before_are_given_their_dwellings_by_the_turn(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "CHUNK", 2)
    states = [dweller("D"), dweller("A"), dweller(None)]
    closed = standing(dweller("D"), State.CLOSED, date(2026, 6, 1))
    async with worker.transaction() as session:
        envelopes = [household_event(state) for state in (*states, closed)]
        await household_copy.apply(session, envelopes)
    for more in (True, False, False):
        async with worker.transaction() as session:
            assert await actions.see_unseen(session, clock.today()) is more
    found = await rows(worker, "SELECT household_id FROM dwellings")
    assert {row["household_id"] for row in found} == {state.household_id for state in states}
    assert await files(worker, states[0].household_id) == [("D", "open", None)]
    before = await everything(worker)
    await receive(worker, *states)
    assert await everything(worker) == before


async def test_the_turn_and_an_event_for_the_same_household_open_one_file(
    worker: Database,
) -> None:
    """The event arrives while the turn is at it: it waits, and then finds the dwelling there."""
    state = dweller("D")
    async with worker.transaction() as session:
        await household_copy.apply(session, [household_event(state)])

    async def hear() -> None:
        async with worker.transaction() as session:
            await on_households(session, [household_event(state, version=2)])

    async with worker.transaction() as session:
        await actions.see_unseen(session, clock.today())
        hearing = asyncio.create_task(hear())
        await until(lambda: _blocked(worker), what="the event to wait for the turn")
    await hearing
    assert await files(worker, state.household_id) == [("D", "open", None)]
    assert len(await published(worker, "guarantee.changed")) == 1


async def _blocked(database: Database) -> bool:
    found = await rows(
        database,
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND cardinality(pg_blocking_pids(pid)) > 0",
    )
    return bool(found)


async def test_a_second_open_file_is_refused_by_the_database(worker: Database) -> None:
    state = dweller("C")
    await receive(worker, state)
    with pytest.raises(IntegrityError, match="uq_dangerous_house_files_open"):
        await rows(
            worker,
            "INSERT INTO dangerous_house_files SELECT gen_random_uuid(), household_id,"
            " division_code, grade, grade_history, state, opened_on"
            " FROM dangerous_house_files RETURNING file_id",
        )
