"""A county with the worked example's figures, its divisions and calendar, and two officers."""

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import workdays
from shared.contracts.registry import HouseholdState
from shared.db import Database
from tests.conftest import ClientOf
from tests.relief.support import COUNTY, SCOPES, receive, set_tekun_figures
from tests.relief.tekun.support import tekun_household
from tests.support.places import load_divisions


@pytest.fixture
async def known(relief: ServiceDatabase, worker: Database) -> None:
    """The divisions and the calendar, as a stack has them."""
    await load_divisions(relief)
    async with worker.transaction() as session:
        await workdays.seed(session)


@pytest.fixture
async def colleague(relief: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """A second officer of the same county."""
    return await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))


@pytest.fixture
async def state(worker: Database) -> HouseholdState:
    """A tekun household of one."""
    await set_tekun_figures(worker)
    found = tekun_household()
    await receive(worker, found)
    return found
