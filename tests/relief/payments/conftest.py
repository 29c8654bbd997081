"""A county with a line, and runs ordered the way an officer orders them."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.payments.bank import Desk
from tests.relief.support import COUNTY, SCOPES, run_jobs, set_line

Order = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(autouse=True)
async def line(worker: Database) -> None:
    await set_line(worker, "1150", date(2026, 1, 1), division="331100")


@pytest.fixture
def month() -> str:
    """The month that is paid: next month."""
    return f"{clock.next_month(clock.today()):%Y-%m}"


@pytest.fixture
def pay(client: httpx.AsyncClient, worker: Database, month: str) -> Order:
    """Orders a run, lets the worker pay it and gives the run; arguments replace the order's."""

    async def order(asking: httpx.AsyncClient = client, **changes: Any) -> dict[str, Any]:
        asked = {"programme": "dibao", "month": month, "division": COUNTY} | changes
        answer = await asking.post("/v1/payment-runs", json=asked)
        assert answer.status_code == 202, answer.text
        jobs = await run_jobs(worker)
        assert {job["state"] for job in jobs} == {"succeeded"}, jobs
        found = await asking.get(answer.headers["Location"])
        assert found.status_code == 200, found.text
        return dict(found.json())

    return order


@pytest.fixture
async def colleague(relief: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """Who approves and confirms what o1 ordered."""
    return await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))


@pytest.fixture
def desk(client: httpx.AsyncClient, worker: Database, pay: Order) -> Desk:
    """The desk that sends runs to the bank."""
    return Desk(client=client, worker=worker, pay=pay)
