"""A real registry over HTTP with the issuer of development, whose names the posting asks for."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from services.notify.notices.jobs import Desk
from services.notify.registry_client import Registry
from tests.notify.support import COUNTY, rows
from tests.support import registries
from tests.support.databases import Databases
from tests.support.services import Surroundings


class RealRegistry(registries.RealRegistry):
    """A registry with people in it, and the desk of a notify that asks it."""

    def desk(self, **changes: Any) -> Desk:
        """The desk of a notify that asks this registry."""
        asked = Registry(**(self.asked_by("notify") | changes))
        return Desk(registry=asked, phones={COUNTY: "0578-8062345"})

    async def readings(self, person_id: UUID) -> list[dict[str, Any]]:
        """The registry's audit lines of a person whose name was read."""
        query = "SELECT * FROM audit_log WHERE subject_id = :id AND action = 'person.read'"
        return await rows(self.database, query, id=str(person_id))


@pytest.fixture(scope="module")
async def issuer_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The development issuer, over HTTP."""
    async with registries.running_issuer(tmp_path_factory.mktemp("issuer")) as url:
        yield url


@pytest.fixture(scope="module")
async def registry_home(
    databases: Databases, surroundings: Surroundings, issuer_url: str
) -> AsyncIterator[RealRegistry]:
    """One registry a module; it answers to nobody yet."""
    async with registries.registry_of(databases, surroundings, issuer_url, RealRegistry) as home:
        yield home


@pytest.fixture
async def registry(registry_home: RealRegistry) -> AsyncIterator[RealRegistry]:
    """A registry that answers."""
    await registry_home.start()
    yield registry_home
    await registry_home.stop()
