"""The figures of employment: entered by one, approved by another, followed at once (R30)."""

from datetime import date
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.employment.standards.queries import held_on, values_over_time
from shared import workdays
from shared.db import Database
from shared.divisions import load_csv
from tests.conftest import ClientOf
from tests.employment.support import (
    COUNTY,
    SCOPES,
    cases,
    load_calendar,
    receive,
    set_figure,
    worker_of,
)
from tests.support.builders import VILLAGE, household
from tests.support.places import CSV

ENTRY = {
    "key": "emp.offer_working_days",
    "division_code": COUNTY,
    "valid_from": "2026-01-01",
    "value": "20",
    "document_number": "松人社〔2026〕3号",
}


@pytest.fixture
async def divisions(worker: Database) -> None:
    async with worker.transaction() as session:
        await load_csv(session, CSV)


async def test_an_approved_limit_dates_the_open_cases(
    client: httpx.AsyncClient,
    worker: Database,
    employment: ServiceDatabase,
    client_of: ClientOf,
    divisions: None,
) -> None:
    await load_calendar(worker)
    here = household(members=[worker_of()])
    there = household(members=[worker_of()], division_code="331102001001")
    await receive(worker, here, there)
    assert [case["offer_due_on"] for case in await cases(worker)] == [None, None]
    entered = (await client.post("/v1/parameters", json=ENTRY)).json()
    second = await client_of(
        "employment", employment, scopes=SCOPES, officer="o2", divisions=(COUNTY,)
    )
    answer = await second.post(f"/v1/parameters/{entered['parameter_id']}/approve")
    assert answer.status_code == 200, answer.text
    async with worker.transaction() as session:
        calendar = await workdays.load(session)
    for case in await cases(worker):
        mine = case["household_id"] == here.household_id
        due = calendar.add(case["opened_on"], 20)
        assert case["offer_due_on"] == (due.on if mine else None)
        assert case["offer_due_provisional"] is (mine and due.provisional)
        assert (str(case["limit_parameter_id"]) == entered["parameter_id"]) is mine


BOUNDS = (
    ("emp.offer_working_days", "1", True),
    ("emp.offer_working_days", "250", True),
    ("emp.offer_working_days", "0", False),
    ("emp.offer_working_days", "251", False),
    ("emp.migrant_months", "1", True),
    ("emp.migrant_months", "24", True),
    ("emp.migrant_months", "0", False),
    ("emp.migrant_months", "25", False),
    ("emp.migrant_years", "1", False),
)


async def test_the_bounds(client: httpx.AsyncClient, divisions: None) -> None:
    for key, value, accepted in BOUNDS:
        answer = await client.post("/v1/parameters", json=ENTRY | {"key": key, "value": value})
        assert answer.status_code == (201 if accepted else 422), answer.text


async def test_the_nearest_division_s_value_of_the_day_holds(worker: Database) -> None:
    key = "emp.offer_working_days"
    await set_figure(worker, key, 30, date(2025, 1, 1), division="331100")
    await set_figure(worker, key, 20, date(2026, 1, 1))
    async with worker.transaction() as session:
        values: dict[str, Any] = await values_over_time(session, key, [VILLAGE, "331102001001"])
    found = {
        (code, day.year): (held.value if (held := held_on(values[code], day)) else None)
        for code in values
        for day in (date(2024, 12, 31), date(2025, 1, 1), date(2026, 1, 1))
    }
    assert found == {
        (VILLAGE, 2024): None,
        (VILLAGE, 2025): 30,
        (VILLAGE, 2026): 20,
        ("331102001001", 2024): None,
        ("331102001001", 2025): 30,
        ("331102001001", 2026): 30,
    }
