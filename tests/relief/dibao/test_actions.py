"""Settling grants on a real database: what is written, what is not, and who waits for whom."""

import asyncio
from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from services.relief.dibao import actions, jobs
from services.relief.dibao.explanations import read
from services.relief.dibao.rules import decide
from services.relief.households.handlers import on_households
from shared.auth import Caller
from shared.contracts.registry import Category, HouseGrade, HouseholdState, Incomes
from shared.db import Database
from shared.identity import new_id
from tests.relief.support import (
    COUNTY,
    blocked,
    counting,
    lifted,
    live,
    receive,
    rows,
    run_jobs,
    set_line,
    with_periods,
)
from tests.support.builders import household, household_event, member
from tests.support.waiting import until

NEW_YEAR = date(2026, 1, 1)
OFFICER = Caller(sub="officer", officer_id="o1", divisions=(COUNTY,))


def richer(state: HouseholdState, on: date, wage: str) -> HouseholdState:
    """The household with another wage income from a day on."""
    period = state.periods[-1].model_copy(
        update={"valid_from": on, "incomes": Incomes(wage=Decimal(wage))}
    )
    return with_periods(state, *state.periods, period)


async def written(database: Database) -> list[dict[str, Any]]:
    """Everything that settling writes, to compare before and after."""
    grants = await rows(database, "SELECT * FROM dibao_grants ORDER BY grant_id")
    return grants + await rows(database, "SELECT * FROM audit_log ORDER BY id")


async def test_an_identified_household_gets_its_grant_with_reasons_and_an_audit_line(
    worker: Database,
) -> None:
    line_id = await set_line(worker, "1150", NEW_YEAR)
    state = household()
    await receive(worker, state, version=3)
    assert await live(worker, state.household_id) == [("2026-04", Decimal("650.00"), "entitled")]
    (grant,) = await rows(worker, "SELECT * FROM dibao_grants")
    assert grant["household_version"] == 3
    assert (grant["division_code"], grant["people"]) == (state.division_code, 1)
    (line,) = await rows(worker, "SELECT * FROM audit_log")
    assert (line["action"], line["sub"]) == ("dibao.settled", "system:relief")
    assert line["subject_id"] == str(state.household_id)
    assert line["division_code"] == state.division_code
    (kept,) = await rows(
        worker, "SELECT explanation->'line'->>'parameter_id' AS id FROM dibao_grants"
    )
    assert kept["id"] == str(line_id)


async def test_the_same_event_again_writes_nothing(worker: Database) -> None:
    await set_line(worker, "1150", NEW_YEAR)
    state = household()
    await receive(worker, state)
    before = await written(worker)
    await receive(worker, state)
    async with worker.transaction() as session:
        assert await actions.settle_grants(session, [state.household_id]) == 0
    assert await written(worker) == before


async def test_a_new_version_with_the_same_facts_writes_nothing(worker: Database) -> None:
    await set_line(worker, "1150", NEW_YEAR)
    state = household()
    await receive(worker, state)
    before = await written(worker)
    await receive(worker, state.model_copy(update={"house_grade": HouseGrade.C}), version=2)
    assert await written(worker) == before


@pytest.mark.parametrize("order", [*permutations((1, 2, 3)), (1, 3), (2, 3), (3,), (3, 3, 1, 2, 1)])
async def test_late_repeated_and_skipped_versions_come_to_the_same(
    worker: Database, order: tuple[int, ...]
) -> None:
    await set_line(worker, "1150", NEW_YEAR)
    first = household()
    second = richer(first, date(2026, 5, 31), "9600")
    versions = {1: first, 2: second, 3: lifted(second, date(2026, 8, 1))}
    for version in order:
        await receive(worker, versions[version], version=version)
    assert await live(worker, first.household_id) == [
        ("2026-04", Decimal(650), "entitled"),
        ("2026-06", Decimal(350), "entitled"),
        ("2026-09", Decimal(0), "lifted"),
    ]


async def test_what_goes_on_is_left_alone_and_what_changes_is_superseded(worker: Database) -> None:
    await set_line(worker, "1150", NEW_YEAR)
    first = household()
    await receive(worker, first)
    corrected = with_periods(
        first, first.periods[0], richer(first, date(2026, 5, 31), "9600").periods[-1]
    )
    await receive(worker, corrected, version=2)
    taken_back = richer(first, date(2026, 5, 31), "10800")
    await receive(worker, taken_back, version=3)
    found = await rows(
        worker,
        "SELECT from_month, amount, superseded_at IS NULL AS live, household_version"
        " FROM dibao_grants ORDER BY decided_at, from_month",
    )
    assert [tuple(row.values()) for row in found] == [
        (date(2026, 4, 1), Decimal(650), True, 1),
        (date(2026, 6, 1), Decimal(350), False, 2),
        (date(2026, 6, 1), Decimal(250), True, 3),
    ]


async def test_every_decision_ever_stored_recomputes_from_its_own_facts(worker: Database) -> None:
    await set_line(worker, "1150", NEW_YEAR)
    first = household(members=[member(), member()], wage="23999.99")
    await receive(worker, first)
    await set_line(worker, "1250.50", date(2026, 9, 1))
    for version, state in enumerate(
        [
            richer(first, date(2026, 5, 31), "9600.01"),
            lifted(first, date(2026, 6, 30), keep_policy_until=date(2026, 12, 31)),
            lifted(first, date(2026, 7, 1)),
        ],
        start=2,
    ):
        await receive(worker, state, version=version)
    stored = await rows(worker, "SELECT * FROM dibao_grants")
    assert len(stored) > 6
    for row in stored:
        decision = read(row)
        again = decide(decision.from_month, decision.period, decision.basis, decision.line)
        assert again == decision


async def test_a_household_that_never_had_a_claim_leaves_no_row(worker: Database) -> None:
    await set_line(worker, "1150", NEW_YEAR)
    await receive(worker, household(category=Category.GROUP_4600))
    assert await rows(worker, "SELECT 1 FROM dibao_grants") == []
    assert await rows(worker, "SELECT 1 FROM audit_log") == []


async def test_a_claim_that_a_correction_undoes_is_superseded_whole(worker: Database) -> None:
    await set_line(worker, "1150", NEW_YEAR)
    state = household()
    await receive(worker, state)
    never = state.periods[0].model_copy(update={"category": Category.GROUP_4600})
    await receive(worker, with_periods(state, never), version=2)
    assert await live(worker, state.household_id) == []
    assert (
        len(await rows(worker, "SELECT 1 FROM dibao_grants WHERE superseded_at IS NOT NULL")) == 1
    )


async def test_a_household_that_moves_takes_its_live_rows_along(worker: Database) -> None:
    """One line for the whole city: the decision stands, only its place follows."""
    await set_line(worker, "1150", NEW_YEAR, division="331100")
    state = household()
    await receive(worker, state)
    await receive(worker, state.model_copy(update={"division_code": "331102001001"}), version=2)
    found = await rows(worker, "SELECT division_code, superseded_at FROM dibao_grants")
    assert found == [{"division_code": "331102001001", "superseded_at": None}]


async def test_in_another_county_the_other_line_counts(worker: Database) -> None:
    await set_line(worker, "1150", NEW_YEAR)
    await set_line(worker, "1250", NEW_YEAR, division="331102")
    state = household()
    await receive(worker, state)
    moved = state.model_copy(update={"division_code": "331102001001"})
    await receive(worker, moved, version=2)
    assert await live(worker, state.household_id) == [("2026-04", Decimal(750), "entitled")]
    found = await rows(
        worker, "SELECT division_code, superseded_at IS NULL AS live FROM dibao_grants"
    )
    assert {(row["division_code"], row["live"]) for row in found} == {
        (state.division_code, False),
        ("331102001001", True),
    }


async def test_without_a_line_the_household_waits_and_is_reckoned_when_there_is_one(
    worker: Database,
) -> None:
    state = household()
    await receive(worker, state)
    assert await live(worker, state.household_id) == [("2026-04", None, "standard_missing")]
    line_id = await set_line(worker, "1150", NEW_YEAR)
    await _order(worker, line_id)
    assert await live(worker, state.household_id) == [("2026-04", Decimal(650), "entitled")]


async def _order(worker: Database, line_id: Any, division: str = COUNTY) -> dict[str, Any]:
    async with worker.transaction() as session:
        await actions.recalculate_division(
            session, OFFICER, division_code=division, parameter_id=line_id
        )
    job = (await run_jobs(worker))[-1]
    assert job["state"] == "succeeded", job["failure"]
    return job


async def test_a_new_line_recalculates_its_division_in_chunks_and_nobody_else(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "CHUNK", 2)
    await set_line(worker, "1150", NEW_YEAR)
    await set_line(worker, "1150", NEW_YEAR, division="331102")
    here = [household() for _ in range(5)]
    there = household(division_code="331102001001")
    others = household(category=Category.TEKUN)
    await receive(worker, *here, there, others)
    line_id = await set_line(worker, "1250", date(2027, 1, 1))
    job = await _order(worker, line_id)
    assert (job["done"], job["total"]) == (5, 5)
    for state in here:
        assert await live(worker, state.household_id) == [
            ("2026-04", Decimal(650), "entitled"),
            ("2027-01", Decimal(750), "entitled"),
        ]
    assert len(await live(worker, there.household_id)) == 1
    before = await written(worker)
    again = await _order(worker, line_id)
    assert again["done"] == 5
    assert await written(worker) == before, "a rerun is idempotent (C11)"


async def test_a_city_line_recalculates_the_counties_under_it(worker: Database) -> None:
    state = household()
    await receive(worker, state)
    line_id = await set_line(worker, "1150", NEW_YEAR, division="331100")
    await _order(worker, line_id, division="331100")
    assert await live(worker, state.household_id) == [("2026-04", Decimal(650), "entitled")]


async def test_a_batch_of_many_villages_takes_few_statements(worker: Database) -> None:
    await set_line(worker, "1150", NEW_YEAR)
    states = [household(division_code=f"331124100{n:03d}") for n in range(400)]
    with counting(worker) as statements:
        await receive(worker, *states)
    assert len(statements) < 20, statements
    with counting(worker) as statements:
        await receive(worker, *[lifted(each, date(2026, 9, 9)) for each in states], version=2)
    assert len(statements) < 20, statements
    found = await rows(worker, "SELECT count(*) AS n FROM dibao_grants WHERE amount = 0")
    assert found == [{"n": 400}]


async def test_two_settlings_of_the_same_households_at_once_write_them_once(
    worker: Database,
) -> None:
    states = [household() for _ in range(3)]
    await receive(worker, *states)
    await set_line(worker, "1150", NEW_YEAR)
    ids = [state.household_id for state in states]

    async def settle() -> int:
        async with worker.transaction() as session:
            return await actions.settle_grants(session, ids[::-1])

    async with worker.transaction() as session:
        assert await actions.settle_grants(session, ids) == 3
        second = asyncio.create_task(settle())
        await until(lambda: blocked(worker), what="the second settling to wait for the first")
    assert await second == 0
    found = await rows(worker, "SELECT amount, superseded_at IS NULL AS live FROM dibao_grants")
    assert [row["amount"] for row in found if row["live"]] == [650] * 3
    assert len(found) == 6


async def test_an_approval_waits_for_settling_under_way_and_then_sees_its_households(
    worker: Database,
) -> None:
    """A household that arrives while a line is approved is reckoned with it all the same."""
    state = household()
    async with worker.transaction() as session:
        await on_households(session, [household_event(state)])
        line_id = await set_line(worker, "1150", NEW_YEAR)
        approving = asyncio.create_task(_order(worker, line_id))
        await until(lambda: blocked(worker), what="the approval to queue for its lock")
        assert not approving.done()
    job = await approving
    assert job["done"] == 1
    assert await live(worker, state.household_id) == [("2026-04", Decimal(650), "entitled")]


async def test_settling_waits_for_an_approval_under_way_and_then_sees_its_line(
    worker: Database,
) -> None:
    state = household()
    async with worker.transaction() as session:
        await actions.recalculate_division(
            session, OFFICER, division_code=COUNTY, parameter_id=new_id()
        )
        settling = asyncio.create_task(receive(worker, state))
        await until(lambda: blocked(worker), what="the settling to queue for its lock")
        await set_line(worker, "1150", NEW_YEAR)
    await settling
    assert await live(worker, state.household_id) == [("2026-04", Decimal(650), "entitled")]
