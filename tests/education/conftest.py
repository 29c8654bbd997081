"""Education's database for a test, as its worker sees it and as its api does."""

from collections.abc import AsyncIterator
from datetime import date

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.education.aid.rules import Term
from shared import clock
from shared.db import Database
from tests.conftest import ClientOf, DatabaseOf
from tests.education.support import COUNTY, SCOPES


@pytest.fixture
async def education(database_of: DatabaseOf) -> ServiceDatabase:
    """A fresh, migrated database of education."""
    return await database_of("education")


@pytest.fixture
async def worker(education: ServiceDatabase) -> AsyncIterator[Database]:
    """Education's database as its worker reaches it, past row-level security."""
    database = Database(education.worker_url, application_name="test-worker", pool_size=5)
    yield database
    await database.close()


@pytest.fixture
async def api_role(education: ServiceDatabase) -> AsyncIterator[Database]:
    """Education's database as its api reaches it, under row-level security."""
    database = Database(education.api_url, application_name="test-api", pool_size=3)
    yield database
    await database.close()


@pytest.fixture
async def client(education: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """An officer of the sample county with all of education's rights."""
    return await client_of("education", education, scopes=SCOPES, divisions=(COUNTY,))


@pytest.fixture
async def colleague(education: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """Another officer of the same county."""
    return await client_of("education", education, scopes=SCOPES, officer="o2", divisions=(COUNTY,))


@pytest.fixture
async def neighbour(education: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """The same rights in another county."""
    return await client_of(
        "education", education, scopes=SCOPES, officer="o9", divisions=("331102",)
    )


@pytest.fixture
def term() -> Term:
    """The term that runs today."""
    day = clock.today()
    if day >= date(day.year, 9, 1):
        return Term(day.year, "autumn")
    if day >= date(day.year, 2, 1):
        return Term(day.year, "spring")
    return Term(day.year - 1, "autumn")
