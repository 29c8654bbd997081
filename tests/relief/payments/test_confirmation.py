"""A run that the bank has paid out: confirmed by a second officer, once, and announced."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from services.relief.payments import actions, jobs
from shared import clock
from shared.db import Database
from tests.relief.payments.conftest import Order
from tests.relief.support import ASSISTED, COUNTY, payments, receive, rows, run_jobs
from tests.support.builders import household, member


@pytest.fixture
async def run(worker: Database, pay: Order) -> dict[str, Any]:
    """Three households paid, not yet confirmed."""
    await receive(worker, household(members=[member(), member()]), household(), household())
    return await pay()


def confirmation(run: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"paid_on": clock.today().isoformat()} | changes
    return {"url": f"/v1/payment-runs/{run['run_id']}/confirm", "json": body}


async def test_every_payment_is_paid_and_told_with_its_people(
    run: dict[str, Any], colleague: httpx.AsyncClient, worker: Database
) -> None:
    answer = await colleague.post(**confirmation(run))
    assert answer.status_code == 202, answer.text
    assert (answer.json()["confirmed_by"], answer.json()["paid_on"]) == (
        "o2",
        clock.today().isoformat(),
    )
    await run_jobs(worker)
    paid = await payments(worker)
    assert {(row["status"], row["version"], row["paid_on"]) for row in paid} == {
        ("paid", 2, clock.today())
    }
    told = [(row["aggregate_version"], orjson.loads(row["data"])) for row in await events(worker)]
    approved = {data["assistance_id"]: data for version, data in told if version == 1}
    for data in (data for version, data in told if version == 2):
        assert data == approved.pop(data["assistance_id"]) | {"status": "paid"}
    assert approved == {}


async def events(worker: Database) -> list[dict[str, Any]]:
    return await rows(worker, ASSISTED)


async def test_a_killed_confirmation_goes_on_where_it_was(
    run: dict[str, Any],
    colleague: httpx.AsyncClient,
    worker: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "CHUNK", 2)
    await colleague.post(**confirmation(run))
    ended = await run_jobs(worker)
    assert (ended[-1]["done"], ended[-1]["total"]) == (3, 3)
    assert len(await events(worker)) == 6
    async with worker.transaction() as session:
        (stored,) = (await session.execute(text("SELECT * FROM payment_runs"))).mappings()
        assert await actions.confirm_payments(session, stored, limit=2) == 0
    assert len(await events(worker)) == 6


async def test_who_ordered_it_cannot_confirm_it(
    run: dict[str, Any], client: httpx.AsyncClient, worker: Database
) -> None:
    answer = await client.post(**confirmation(run))
    assert (answer.status_code, answer.json()["code"]) == (409, "same_officer")
    assert {row["status"] for row in await payments(worker)} == {"approved"}


async def test_two_confirmations_at_once_leave_one(
    run: dict[str, Any], colleague: httpx.AsyncClient, worker: Database
) -> None:
    answers = await asyncio.gather(*(colleague.post(**confirmation(run)) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert {a.json().get("code") for a in answers} == {None, "run_confirmed"}
    await run_jobs(worker)
    assert {row["version"] for row in await payments(worker)} == {2}


async def test_a_day_that_cannot_be_is_refused(
    run: dict[str, Any], colleague: httpx.AsyncClient
) -> None:
    for shift, status in ((1, 422), (-1, 422), (0, 202)):
        day = (clock.today() + timedelta(days=shift)).isoformat()
        answer = await colleague.post(**confirmation(run, paid_on=day))
        assert answer.status_code == status, answer.text


async def test_a_run_still_being_paid_waits(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database, month: str
) -> None:
    await receive(worker, household())
    order = {"programme": "dibao", "month": month, "division": COUNTY}
    ordered = (await client.post("/v1/payment-runs", json=order)).json()
    answer = await colleague.post(**confirmation(ordered))
    assert (answer.status_code, answer.json()["code"]) == (409, "run_not_over")


async def test_a_run_of_another_county_is_unknown(
    run: dict[str, Any], neighbour: httpx.AsyncClient
) -> None:
    answer = await neighbour.post(**confirmation(run))
    assert (answer.status_code, answer.json()["code"]) == (404, "payment_run_unknown")
