"""A county with its amounts, and runs ordered the way an officer orders them."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import httpx
import pytest

from services.education.aid.rules import Term
from shared.db import Database
from tests.education.support import AMOUNTS, COUNTY, run_jobs, set_value

Order = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def amounts(worker: Database) -> None:
    """The sample's amounts, in force long before any term."""
    for key, value in AMOUNTS.items():
        await set_value(worker, key, value, valid_from=date(2020, 1, 1))


@pytest.fixture
def grant(client: httpx.AsyncClient, worker: Database, term: Term) -> Order:
    """Orders a run, lets the worker grant it and gives the run; arguments replace the order's."""

    async def order(asking: httpx.AsyncClient = client, **changes: Any) -> dict[str, Any]:
        asked = {"term": str(term), "division": COUNTY} | changes
        answer = await asking.post("/v1/aid-runs", json=asked)
        assert answer.status_code == 202, answer.text
        jobs = await run_jobs(worker)
        assert {job["state"] for job in jobs} == {"succeeded"}, jobs
        found = await asking.get(answer.headers["Location"])
        assert found.status_code == 200, found.text
        return dict(found.json())

    return order
