"""Employment's database for a test, as its worker sees it and as its api does."""

from collections.abc import AsyncIterator
from datetime import date

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared.db import Database
from tests.conftest import ClientOf, DatabaseOf
from tests.employment.support import COUNTY, SCOPES, set_figure


@pytest.fixture
async def employment(database_of: DatabaseOf) -> ServiceDatabase:
    """A fresh, migrated database of employment."""
    return await database_of("employment")


@pytest.fixture
async def worker(employment: ServiceDatabase) -> AsyncIterator[Database]:
    """Employment's database as its worker reaches it, past row-level security."""
    database = Database(employment.worker_url, application_name="test-worker", pool_size=5)
    yield database
    await database.close()


@pytest.fixture
async def api_role(employment: ServiceDatabase) -> AsyncIterator[Database]:
    """Employment's database as its api reaches it, under row-level security."""
    database = Database(employment.api_url, application_name="test-api", pool_size=3)
    yield database
    await database.close()


@pytest.fixture
async def client(employment: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """An officer of the sample county with all of employment's rights."""
    return await client_of("employment", employment, scopes=SCOPES, divisions=(COUNTY,))


@pytest.fixture
async def neighbour(employment: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """The same rights in another county."""
    return await client_of(
        "employment", employment, scopes=SCOPES, officer="o9", divisions=("331102",)
    )


@pytest.fixture
async def figures(worker: Database) -> None:
    """The county's figures: an offer within 20 working days, migrant work after 3 months."""
    await set_figure(worker, "emp.offer_working_days", 20, date(2026, 1, 1))
    await set_figure(worker, "emp.migrant_months", 3, date(2026, 1, 1))
