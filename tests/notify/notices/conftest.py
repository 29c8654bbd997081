"""A real registry over HTTP with the issuer of development, whose names the posting asks for."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from services.notify.notices.jobs import Desk
from services.notify.registry_client import Registry
from tests.notify.support import COUNTY
from tests.support import real_registry
from tests.support.databases import Databases
from tests.support.real_registry import issuing, registry_at_home
from tests.support.services import Surroundings


@dataclass
class RealRegistry(real_registry.RealRegistry):
    """A registry with people in it, as notify's posting asks it."""

    def desk(self, **changes: Any) -> Desk:
        """The desk of a notify that asks this registry."""
        known: dict[str, Any] = {
            "registry_url": self.url,
            "token_url": f"{self.issuer_url}/token",
            "client_id": "notify",
        }
        return Desk(registry=Registry(**(known | changes)), phones={COUNTY: "0578-8062345"})


@pytest.fixture(scope="module")
async def issuer_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The development issuer, over HTTP."""
    async with issuing(tmp_path_factory.mktemp("issuer")) as url:
        yield url


@pytest.fixture(scope="module")
async def registry_home(
    databases: Databases, surroundings: Surroundings, issuer_url: str
) -> AsyncIterator[RealRegistry]:
    """One registry a module; it answers to nobody yet."""
    async with registry_at_home(databases, surroundings, issuer_url) as home:
        yield RealRegistry(home.app, home.port, home.issuer_url, home.database)


@pytest.fixture
async def registry(registry_home: RealRegistry) -> AsyncIterator[RealRegistry]:
    """A registry that answers."""
    await registry_home.start()
    yield registry_home
    await registry_home.stop()
