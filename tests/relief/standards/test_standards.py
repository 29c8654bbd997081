"""A standard entered by one officer and approved by another: its event, its recalculation (C11)."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.dibao.actions import RECALCULATE
from services.relief.guarantees.actions import LOOK_AGAIN
from services.relief.tekun import actions as tekun
from shared.contracts.relief import STANDARD_CHANGED, Standard
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.support import COUNTY, SCOPES, live, receive, rows, run_jobs
from tests.support.builders import household
from tests.support.places import load_divisions

LINE = {
    "key": "dibao_line",
    "division_code": COUNTY,
    "valid_from": "2026-01-01",
    "value": "1150",
    "document_number": "松民〔2025〕88号",
}


@pytest.fixture(autouse=True)
async def known_divisions(relief: ServiceDatabase) -> None:
    await load_divisions(relief)


@pytest.fixture
async def colleague(relief: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """A second officer of the same county."""
    return await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))


async def enter(client: httpx.AsyncClient, **changes: Any) -> str:
    answer = await client.post("/v1/parameters", json=LINE | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["parameter_id"])


async def published(worker: Database) -> list[dict[str, Any]]:
    return await rows(worker, "SELECT * FROM events ORDER BY id")


async def test_an_approved_line_is_published_and_recalculates_its_county(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    state = household()
    await receive(worker, state)
    line_id = await enter(client)
    assert await published(worker) == [], "an entry alone announces nothing"
    answer = await colleague.post(f"/v1/parameters/{line_id}/approve")
    assert answer.status_code == 200, answer.text

    (event,) = await published(worker)
    assert (event["topic"], event["type"]) == ("relief.standards", STANDARD_CHANGED)
    assert (event["subject"], event["key"], event["aggregate_version"]) == (line_id, COUNTY, 2)
    assert event["effective_from"] == date(2026, 1, 1)
    standard = Standard.model_validate_json(event["data"])
    assert (standard.key, standard.value) == ("dibao_line", Decimal(1150))
    assert standard.document_number == "松民〔2025〕88号"

    jobs = await run_jobs(worker)
    assert [(job["kind"], job["done"]) for job in jobs] == [
        (RECALCULATE, 1),
        (tekun.RECALCULATE, 0),  # nobody here is tekun
        (LOOK_AGAIN, 1),
    ]
    assert {(job["state"], job["division_code"]) for job in jobs} == {("succeeded", COUNTY)}
    assert await live(worker, state.household_id) == [("2026-04", Decimal(650), "entitled")]


async def test_approving_again_publishes_nothing_more(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    line_id = await enter(client)
    for _ in range(2):
        assert (await colleague.post(f"/v1/parameters/{line_id}/approve")).status_code == 200
    assert len(await published(worker)) == 1
    assert len(await rows(worker, "SELECT 1 FROM jobs")) == 3


async def test_who_entered_a_line_cannot_approve_it(
    client: httpx.AsyncClient, worker: Database
) -> None:
    line_id = await enter(client)
    answer = await client.post(f"/v1/parameters/{line_id}/approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "same_officer")
    assert await published(worker) == []
    assert await rows(worker, "SELECT 1 FROM jobs") == []


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        ("minimum_wage", [tekun.RECALCULATE, LOOK_AGAIN]),
        ("disposable_income_ref", []),
    ],
)
async def test_other_standards_are_published_and_recalculate_what_rests_on_them(
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    worker: Database,
    key: str,
    kinds: list[str],
) -> None:
    parameter_id = await enter(client, key=key, value="2260")
    assert (await colleague.post(f"/v1/parameters/{parameter_id}/approve")).status_code == 200
    (event,) = await published(worker)
    assert Standard.model_validate_json(event["data"]).key == key
    ordered = await rows(worker, "SELECT kind FROM jobs ORDER BY job_id")
    assert [job["kind"] for job in ordered] == kinds


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tekun.basic_multiple", "1.3"),
        ("tekun.care.able", "0.1"),
        ("tekun.care.partly", "0.3"),
        ("tekun.care.lost", "0.5"),
        ("tekun.reassess_working_days", "7"),
    ],
)
async def test_a_parameter_of_tekun_stays_inside_and_recalculates_what_rests_on_it(
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    worker: Database,
    key: str,
    value: str,
) -> None:
    parameter_id = await enter(client, key=key, value=value)
    assert (await colleague.post(f"/v1/parameters/{parameter_id}/approve")).status_code == 200
    assert await published(worker) == []
    ordered = await rows(worker, "SELECT kind FROM jobs ORDER BY job_id")
    kinds = [] if key == "tekun.reassess_working_days" else [tekun.RECALCULATE, LOOK_AGAIN]
    assert [job["kind"] for job in ordered] == kinds


async def test_what_no_standard_can_be_is_refused(client: httpx.AsyncClient) -> None:
    for changes, code in (
        ({"key": "marginal_ratio"}, "parameter_key_unknown"),
        ({"key": "tekun.basic_multiple", "value": "1.29"}, "parameter_out_of_bounds"),
        ({"key": "tekun.basic_multiple", "value": "5.01"}, "parameter_out_of_bounds"),
        ({"key": "tekun.reassess_working_days", "value": "11"}, "parameter_out_of_bounds"),
        ({"key": "tekun.reassess_working_days", "value": "0"}, "parameter_out_of_bounds"),
        ({"value": "0.99"}, "parameter_out_of_bounds"),
        ({"value": "20000.01"}, "parameter_out_of_bounds"),
        ({"division_code": "331124001"}, "parameter_scope"),
    ):
        answer = await client.post("/v1/parameters", json=LINE | changes)
        assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_line_of_another_county_is_refused(neighbour: httpx.AsyncClient) -> None:
    answer = await neighbour.post("/v1/parameters", json=LINE)
    assert answer.status_code == 403
