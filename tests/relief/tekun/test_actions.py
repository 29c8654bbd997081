"""Settling tekun grants on a real database: what is written, what is not, who waits for whom."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from services.relief.tekun import actions, jobs
from services.relief.tekun.explanations import read
from services.relief.tekun.rules import decide
from shared import clock
from shared.auth import Caller
from shared.contracts.registry import Category, HouseholdState, Relation
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
    set_figure,
    set_tekun_figures,
    with_periods,
)
from tests.relief.tekun.support import confirmed, schedule
from tests.support.builders import household, member
from tests.support.waiting import until

OFFICER = Caller(sub="officer", officer_id="o1", divisions=(COUNTY,))
NEXT = f"{clock.next_month(clock.today()):%Y-%m}"


@pytest.fixture(autouse=True)
async def figures(worker: Database) -> None:
    await set_tekun_figures(worker)


def alone(**facts: Any) -> HouseholdState:
    """One old man, identified on 2026-03-10 and so paid from April on."""
    return household(**{"category": Category.TEKUN, "wage": "0", **facts})


async def written(database: Database) -> list[dict[str, Any]]:
    """Everything that settling writes, to compare before and after."""
    grants = await rows(database, "SELECT * FROM tekun_grants ORDER BY grant_id")
    return grants + await rows(database, "SELECT * FROM audit_log ORDER BY id")


async def test_an_identified_household_has_its_basic_part_at_once(worker: Database) -> None:
    state = alone()
    await receive(worker, state)
    assert await schedule(worker, state.household_id) == [
        ("2026-04", Decimal(780), "assessment_missing")
    ]
    assert await live(worker, state.household_id) == [], "who is tekun is not on dibao"
    (line,) = await rows(worker, "SELECT * FROM audit_log WHERE action = 'tekun.settled'")
    assert (line["subject_id"], line["division_code"]) == (
        str(state.household_id),
        state.division_code,
    )


async def test_twice_late_or_unchanged_writes_nothing_again(worker: Database) -> None:
    state = alone()
    stopped = lifted(state, date(2026, 8, 1))
    await receive(worker, stopped, version=2)
    before = await written(worker)
    await receive(worker, stopped, version=2)
    await receive(worker, state, version=1)
    async with worker.transaction() as session:
        assert await actions.settle_grants(session, [state.household_id]) == 0
    assert await written(worker) == before
    assert [reason for *_, reason in await schedule(worker, state.household_id)] == [
        "assessment_missing",
        "lifted",
    ]


async def test_dibao_becomes_tekun_from_the_month_after(worker: Database) -> None:
    state = household(wage="0")
    await receive(worker, state)
    period = state.periods[-1].model_copy(
        update={"valid_from": date(2026, 6, 9), "category": Category.TEKUN}
    )
    await receive(worker, with_periods(state, *state.periods, period), version=2)
    assert await live(worker, state.household_id) == [
        ("2026-04", Decimal(600), "entitled"),
        ("2026-07", Decimal(0), "not_dibao"),
    ]
    assert await schedule(worker, state.household_id) == [
        ("2026-07", Decimal(780), "assessment_missing")
    ]


async def test_a_correction_that_was_never_tekun_supersedes_all(worker: Database) -> None:
    state = alone()
    await receive(worker, state)
    never = state.periods[0].model_copy(update={"category": Category.DIBAO})
    await receive(worker, with_periods(state, never), version=2)
    assert await schedule(worker, state.household_id) == []
    assert len(await rows(worker, "SELECT 1 FROM tekun_grants")) == 1


@pytest.mark.usefixtures("known")
async def test_an_assessment_brings_care_from_next_month_on(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    state = alone()
    await receive(worker, state)
    await confirmed(client, colleague, state, failed=2)
    await run_jobs(worker)
    expected = [("2026-04", Decimal(780), "assessment_missing"), (NEXT, Decimal(1194), "entitled")]
    assert await schedule(worker, state.household_id) == expected
    before = await written(worker)
    await receive(worker, state, version=2)
    assert await written(worker) == before


@pytest.mark.usefixtures("known")
async def test_every_stored_decision_recomputes_from_what_is_stored_with_it(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    state = alone()
    await receive(worker, state)
    await confirmed(client, colleague, state, failed=5)
    await run_jobs(worker)
    await receive(worker, lifted(state, clock.today()), version=2)
    stored = await rows(worker, "SELECT * FROM tekun_grants")
    assert len(stored) == 3
    for row in stored:
        kept = read(row)
        again = decide(kept.from_month, kept.period, kept.basis, kept.shares, kept.figures)
        assert (again, again.amount) == (kept, row["amount"])


@pytest.mark.parametrize(
    ("key", "value", "amount"),
    [
        ("dibao_line", "700", 910),
        ("tekun.basic_multiple", "1.5", 900),
        ("minimum_wage", "2000", 780),  # without an assessment no care is reckoned
    ],
)
async def test_an_approved_figure_recalculates_its_division(
    worker: Database, monkeypatch: pytest.MonkeyPatch, key: str, value: str, amount: int
) -> None:
    monkeypatch.setattr(jobs, "CHUNK", 2)
    here = [alone() for _ in range(3)]
    there = alone(division_code="331102001001")
    await receive(worker, *here, there)
    parameter_id = await set_figure(worker, key, value, date(2027, 1, 1))
    for _ in range(2):
        async with worker.transaction() as session:
            await actions.recalculate_division(
                session, OFFICER, division_code=COUNTY, parameter_id=parameter_id
            )
        job = (await run_jobs(worker))[-1]
        assert (job["state"], job["done"], job["total"]) == ("succeeded", 3, 3)
    for state in here:
        assert (await schedule(worker, state.household_id))[-1] == (
            "2027-01",
            Decimal(amount),
            "assessment_missing",
        )
    assert len(await schedule(worker, there.household_id)) == 1


async def test_before_the_figures_the_household_waits(worker: Database) -> None:
    state = alone(effective_from=date(2025, 10, 9))
    await receive(worker, state)
    assert await schedule(worker, state.household_id) == [
        ("2025-11", None, "standard_missing"),
        ("2026-01", Decimal(780), "assessment_missing"),
    ]


@pytest.mark.usefixtures("known")
async def test_who_moves_to_another_county_takes_assessments_along(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    state = alone()
    await receive(worker, state)
    await confirmed(client, colleague, state)
    await run_jobs(worker)
    await receive(worker, state.model_copy(update={"division_code": "331102001001"}), version=2)
    for table in ("tekun_assessments", "tekun_grants"):
        found = await rows(worker, f"SELECT DISTINCT division_code FROM {table}")  # noqa: S608
        assert found == [{"division_code": "331102001001"}], table


async def test_two_settlings_of_the_same_households_at_once_write_them_once(
    worker: Database,
) -> None:
    states = [alone() for _ in range(3)]
    await receive(worker, *states)
    await set_figure(worker, "dibao_line", "700", date(2026, 2, 1))
    ids = [state.household_id for state in states]

    async def settle() -> int:
        async with worker.transaction() as session:
            return await actions.settle_grants(session, ids[::-1])

    async with worker.transaction() as session:
        assert await actions.settle_grants(session, ids) == 3
        second = asyncio.create_task(settle())
        await until(lambda: blocked(worker), what="the second settling to wait for the first")
    assert await second == 0
    found = await rows(worker, "SELECT amount FROM tekun_grants WHERE superseded_at IS NULL")
    assert [row["amount"] for row in found] == [910] * 3


async def test_settling_waits_for_an_approval_under_way_and_then_sees_its_figure(
    worker: Database,
) -> None:
    state = alone()
    async with worker.transaction() as session:
        await actions.recalculate_division(
            session, OFFICER, division_code=COUNTY, parameter_id=new_id()
        )
        settling = asyncio.create_task(receive(worker, state))
        await until(lambda: blocked(worker), what="the settling to queue for its lock")
        await set_figure(worker, "tekun.basic_multiple", "1.4", date(2026, 2, 1))
    await settling
    assert (await schedule(worker, state.household_id))[-1][1] == 840


async def test_a_batch_of_many_villages_takes_few_statements(worker: Database) -> None:
    states = [alone(division_code=f"331124100{n:03d}") for n in range(400)]
    for version in (1, 2):
        with counting(worker) as statements:
            await receive(worker, *states, version=version)
            states = [lifted(each, date(2026, 9, 9)) for each in states]
        assert len(statements) < 30, statements
    found = await rows(worker, "SELECT count(*) AS n FROM tekun_grants WHERE amount = 0")
    assert found == [{"n": 400}]


async def test_a_batch_without_tekun_writes_nothing_here(worker: Database) -> None:
    people = [member(), member(Relation.SPOUSE)]
    await receive(worker, *[household(members=people) for _ in range(3)])
    assert await rows(worker, "SELECT 1 FROM tekun_grants") == []
    assert await rows(worker, "SELECT 1 FROM audit_log WHERE action = 'tekun.settled'") == []
