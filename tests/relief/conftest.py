"""Relief's database for a test, as its worker sees it and as its api does."""

from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared.db import Database
from tests.conftest import ClientOf, DatabaseOf
from tests.relief.support import COUNTY, SCOPES


@pytest.fixture
async def relief(database_of: DatabaseOf) -> ServiceDatabase:
    """A fresh, migrated database of relief."""
    return await database_of("relief")


@pytest.fixture
async def worker(relief: ServiceDatabase) -> AsyncIterator[Database]:
    """Relief's database as its worker reaches it, past row-level security."""
    database = Database(relief.worker_url, application_name="test-worker", pool_size=5)
    yield database
    await database.close()


@pytest.fixture
async def api_role(relief: ServiceDatabase) -> AsyncIterator[Database]:
    """Relief's database as its api reaches it, under row-level security."""
    database = Database(relief.api_url, application_name="test-api", pool_size=3)
    yield database
    await database.close()


@pytest.fixture
async def client(relief: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """An officer of the sample county with all of relief's rights."""
    return await client_of("relief", relief, scopes=SCOPES, divisions=(COUNTY,))


@pytest.fixture
async def neighbour(relief: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """The same rights in another county."""
    return await client_of("relief", relief, scopes=SCOPES, officer="o9", divisions=("331102",))
