"""Guarantees as they are stored and published: on arrival, at a new line, at a new month."""

from datetime import date
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy import text

from deploy.local.provision import ServiceDatabase
from services.relief.guarantees.actions import look_again_each_month
from shared import clock
from shared.contracts.registry import Category, Cause, HouseholdState, State
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.support import (
    COUNTY,
    SCOPES,
    lifted,
    receive,
    rows,
    run_jobs,
    set_line,
    set_tekun_figures,
)
from tests.support.builders import household, member
from tests.support.places import load_divisions

LINE = {
    "key": "dibao_line",
    "division_code": COUNTY,
    "valid_from": "2026-01-01",
    "value": "1150.00",
    "document_number": "丽民〔2026〕1号",
}


@pytest.fixture
async def line(worker: Database) -> None:
    await set_line(worker, "1150", date(2026, 1, 1))


async def stated(worker: Database, household_id: UUID) -> dict[str, tuple[bool, int]]:
    found = await rows(
        worker,
        "SELECT kind, met, version FROM guarantees_given WHERE household_id = :id",
        id=household_id,
    )
    return {row["kind"]: (row["met"], row["version"]) for row in found}


async def published(worker: Database) -> list[dict[str, Any]]:
    found = await rows(
        worker,
        "SELECT topic, type, aggregate_version, data FROM events ORDER BY id",
    )
    return [{**row, **orjson.loads(row["data"])} for row in found]


@pytest.mark.usefixtures("line")
async def test_an_identified_household_has_both_stated(worker: Database) -> None:
    state = household(members=[member(insured=True), member(insured=True)])
    await receive(worker, state)
    assert await stated(worker, state.household_id) == {"living": (True, 1), "medical": (True, 1)}
    told = await published(worker)
    assert [(one["topic"], one["kind"], one["met"]) for one in told] == [
        ("relief.assistance", "living", True),
        ("relief.assistance", "medical", True),
    ]
    assert {one["household_id"] for one in told} == {str(state.household_id)}


@pytest.mark.usefixtures("line")
async def test_twice_late_or_unchanged_states_nothing_again(worker: Database) -> None:
    state = household(members=[member(insured=True)])
    await receive(worker, state, version=2)
    await receive(worker, state, version=2)
    await receive(worker, state.model_copy(update={"causes": (Cause.ILLNESS,)}), version=3)
    uninsured = state.model_copy(update={"members": (member(insured=False),)})
    await receive(worker, uninsured, version=1)
    assert await stated(worker, state.household_id) == {"living": (True, 1), "medical": (True, 1)}
    assert len(await published(worker)) == 2


@pytest.mark.usefixtures("line")
async def test_what_changes_rises_by_one_version(worker: Database) -> None:
    state = household(members=[member(insured=True)])
    await receive(worker, state)
    uninsured = state.model_copy(update={"members": (member(insured=False),)})
    await receive(worker, uninsured, version=2)
    assert await stated(worker, state.household_id) == {"living": (True, 1), "medical": (False, 2)}


@pytest.mark.usefixtures("line")
async def test_a_closed_file_is_not_judged(worker: Database) -> None:
    closed = household(state=State.CLOSED)
    await receive(worker, closed)
    assert await stated(worker, closed.household_id) == {}


async def test_a_new_line_states_living_again_for_every_category(
    relief: ServiceDatabase, worker: Database, client: httpx.AsyncClient, client_of: ClientOf
) -> None:
    colleague = await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))
    poor = household(category=Category.DIBAO_MARGINAL, wage="13000")
    better = household(category=Category.GROUP_4600, wage="15000")
    await receive(worker, poor, better)
    assert await stated(worker, poor.household_id) == {}, "no line, no verdict"
    await load_divisions(relief)
    entered = await client.post("/v1/parameters", json=LINE)
    await colleague.post(f"/v1/parameters/{entered.json()['parameter_id']}/approve")
    assert {job["state"] for job in await run_jobs(worker)} == {"succeeded"}
    assert await stated(worker, poor.household_id) == {"living": (False, 1)}
    assert await stated(worker, better.household_id) == {"living": (True, 1)}


async def test_living_of_tekun_is_met_once_its_standard_is_reckoned(
    relief: ServiceDatabase, worker: Database, client: httpx.AsyncClient, client_of: ClientOf
) -> None:
    """Each figure but one is there; the last one is approved, and settled before it is looked."""
    colleague = await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))
    await set_tekun_figures(worker, but="minimum_wage")
    state = household(category=Category.TEKUN, wage="0")
    await receive(worker, state)
    assert await stated(worker, state.household_id) == {}, "nobody knows what it is owed"
    await load_divisions(relief)
    wage = LINE | {"key": "minimum_wage", "value": "1380.00"}
    entered = await client.post("/v1/parameters", json=wage)
    await colleague.post(f"/v1/parameters/{entered.json()['parameter_id']}/approve")
    assert {job["state"] for job in await run_jobs(worker)} == {"succeeded"}
    assert await stated(worker, state.household_id) == {"living": (True, 1)}
    await receive(worker, lifted(state, clock.today()), version=2)
    assert await stated(worker, state.household_id) == {"living": (False, 2)}


async def test_the_look_settles_tekun_first(worker: Database) -> None:
    """Its recalculation may come after the look: whoever runs first, the verdict is the same."""
    state = household(category=Category.TEKUN, wage="0")
    await receive(worker, state)
    await set_tekun_figures(worker)
    async with worker.transaction() as session:
        await look_again_each_month(session, date(2026, 12, 1))
    await run_jobs(worker)
    assert await stated(worker, state.household_id) == {"living": (True, 1)}


async def test_a_new_month_looks_once(worker: Database) -> None:
    state: HouseholdState = household(category=Category.DIBAO_MARGINAL, wage="13000")
    await receive(worker, state)
    await set_line(worker, "1150", date(2026, 1, 1))
    for _ in range(2):
        async with worker.transaction() as session:
            assert await look_again_each_month(session, date(2026, 12, 1)) is False
    ended = await run_jobs(worker)
    assert [(job["state"], job["result"]) for job in ended] == [("succeeded", {"changed": 1})]
    assert await stated(worker, state.household_id) == {"living": (False, 1)}


@pytest.mark.usefixtures("line")
async def test_the_api_s_role_sees_those_of_its_divisions(
    worker: Database, api_role: Database
) -> None:
    await receive(worker, household())
    counted = {}
    for division in (COUNTY, "331102"):
        async with api_role.transaction(divisions=(division,)) as session:
            found = await session.execute(text("SELECT count(*) FROM guarantees_given"))
            counted[division] = found.scalar_one()
    assert counted == {COUNTY: 1, "331102": 0}
