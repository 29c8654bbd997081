"""A county with a contribution and rates, and runs ordered the way an officer orders them."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.support import COUNTY, SCOPES, run_jobs, set_figure

Order = Callable[..., Awaitable[dict[str, Any]]]
RATES = {"tekun": "1", "dibao": "1", "dibao_marginal": "0.5"}


@pytest.fixture(autouse=True)
async def figures(worker: Database) -> None:
    await set_figure(worker, "premium.contribution", "250", division="331100")
    for category, rate in RATES.items():
        await set_figure(worker, f"premium.rate.{category}", rate, division="331100")


@pytest.fixture
async def colleague(relief: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """Who confirms what o1 ordered."""
    return await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))


@pytest.fixture
def order(client: httpx.AsyncClient, worker: Database) -> Order:
    """Orders a run, lets the worker carry it out and gives it; arguments replace the order's."""

    async def ordered(asking: httpx.AsyncClient = client, **changes: Any) -> dict[str, Any]:
        asked = {"year": clock.today().year, "division": COUNTY} | changes
        answer = await asking.post("/v1/premium-runs", json=asked)
        assert answer.status_code == 202, answer.text
        jobs = await run_jobs(worker)
        assert {job["state"] for job in jobs} == {"succeeded"}, jobs
        return dict((await asking.get(answer.headers["Location"])).json())

    return ordered
