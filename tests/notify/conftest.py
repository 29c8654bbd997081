"""Notify's database for a test, as its worker and its api see it, and a clock that moves."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.db import Database
from tests.conftest import ClientOf, DatabaseOf, SettingsOf
from tests.notify.support import COUNTY, SCOPES, know_places

OfficerOf = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def notify(database_of: DatabaseOf, surroundings: object) -> ServiceDatabase:
    """A fresh, migrated database of notify."""
    return await database_of("notify")


@pytest.fixture
async def worker(notify: ServiceDatabase) -> AsyncIterator[Database]:
    """Notify's database as its worker reaches it, past row-level security; places are known."""
    database = Database(notify.worker_url, application_name="test-worker", pool_size=6)
    await know_places(database)
    yield database
    await database.close()


@pytest.fixture
async def api_role(notify: ServiceDatabase) -> AsyncIterator[Database]:
    """Notify's database as its api reaches it, under row-level security."""
    database = Database(notify.api_url, application_name="test-api", pool_size=3)
    yield database
    await database.close()


@pytest.fixture
def clock_file(tmp_path: Path) -> Iterator[Path]:
    """A clock of this test's own, which ``clock.advance`` moves; apps made here go by it too."""
    path = tmp_path / "clock.json"
    clock.configure(path, "development")
    yield path
    clock.configure(None, "production")


@pytest.fixture
def officer_of(
    notify: ServiceDatabase, client_of: ClientOf, settings_of: SettingsOf, clock_file: Path
) -> OfficerOf:
    """``officer_of("o2", …)``: an officer at work, in the sample county with all rights."""

    async def officer(name: str | None, **rights: Any) -> httpx.AsyncClient:
        settings = settings_of("notify", notify, clock_file=clock_file)
        known = {"scopes": SCOPES, "divisions": (COUNTY,)} | rights
        return await client_of("notify", notify, settings=settings, officer=name, **known)

    return officer


@pytest.fixture
async def client(officer_of: OfficerOf) -> httpx.AsyncClient:
    """An officer of the sample county with all of notify's rights but pii:read."""
    return await officer_of("o1")


@pytest.fixture
async def colleague(officer_of: OfficerOf) -> httpx.AsyncClient:
    """Another officer of the same county."""
    return await officer_of("o2")


@pytest.fixture
async def neighbour(officer_of: OfficerOf) -> httpx.AsyncClient:
    """The same rights in another county."""
    return await officer_of("o9", divisions=("331102",))
