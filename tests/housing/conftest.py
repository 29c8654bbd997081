"""Housing's database for a test, as its worker sees it and as its api does; officers at work."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared.db import Database
from tests.conftest import ClientOf, DatabaseOf
from tests.housing.support import (
    COUNTY,
    SAMPLE,
    SCOPES,
    apply_for,
    brought_to,
    dweller,
    file_of,
    receive,
    set_values,
)

Renovated = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def housing(database_of: DatabaseOf) -> ServiceDatabase:
    """A fresh, migrated database of housing."""
    return await database_of("housing")


@pytest.fixture
async def worker(housing: ServiceDatabase) -> AsyncIterator[Database]:
    """Housing's database as its worker reaches it, past row-level security."""
    database = Database(housing.worker_url, application_name="test-worker", pool_size=5)
    yield database
    await database.close()


@pytest.fixture
async def api_role(housing: ServiceDatabase) -> AsyncIterator[Database]:
    """Housing's database as its api reaches it, under row-level security."""
    database = Database(housing.api_url, application_name="test-api", pool_size=3)
    yield database
    await database.close()


@pytest.fixture
async def client(housing: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """An officer of the sample county with all of housing's rights."""
    return await client_of("housing", housing, scopes=SCOPES, divisions=(COUNTY,))


@pytest.fixture
async def colleague(housing: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """Another officer of the same county with the same rights."""
    return await client_of("housing", housing, scopes=SCOPES, officer="o2", divisions=(COUNTY,))


@pytest.fixture
async def neighbour(housing: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """The same rights in another county."""
    return await client_of("housing", housing, scopes=SCOPES, officer="o9", divisions=("331102",))


@pytest.fixture
async def values(worker: Database) -> None:
    """The sample county's parameters, approved."""
    await set_values(worker, SAMPLE)


@pytest.fixture
def renovated(client: httpx.AsyncClient, worker: Database) -> Renovated:
    """``renovated("checked", grade="D")``: a household's renovation that has come so far."""

    async def bring(last: str = "applied", *, grade: str = "D", **facts: Any) -> dict[str, Any]:
        state = dweller(grade, **facts)
        await receive(worker, state)
        file_id = await file_of(worker, state.household_id)
        answer = await apply_for(client, file_id, "repair" if grade == "C" else "rebuild")
        assert answer.status_code == 201, answer.text
        if last == "applied":
            return dict(answer.json())
        appraised = {"appraised_grade": grade}
        return await brought_to(client, answer.json(), last, appraised=appraised)

    return bring
