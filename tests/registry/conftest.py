"""A registry with a few of Lishui's villages, and the people who work with it.

One database a module: a test looks at its own households, or at what a request left behind.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.db import Database
from tests.conftest import ClientOf
from tests.registry.filing import ALL, Office, Registry, know_places
from tests.registry.known import know_rules
from tests.support.databases import Databases
from tests.support.stewards import appoint_steward

OfficeOf = Callable[..., Awaitable[Office]]


@pytest.fixture(scope="module")
async def registry(databases: Databases, surroundings: object) -> AsyncIterator[Registry]:
    """A registry database; nothing is filed before this module's tests do."""
    async with databases.copy("registry") as urls:
        worker = Database(urls.worker_url, application_name="tests-worker")
        api = Database(urls.api_url, application_name="tests-api")
        await know_places(worker)
        await know_rules(api, worker)
        await appoint_steward(urls)
        yield Registry(urls, worker, api)
        await worker.close()
        await api.close()


@pytest.fixture
async def office_of(registry: Registry, client_of: ClientOf) -> OfficeOf:
    """An office elsewhere or with other rights, made by naming them."""

    async def office(scopes: str = ALL, **rights: object) -> Office:
        client = await client_of("registry", registry.urls, scopes=scopes, **rights)
        return Office(client, registry)

    return office


@pytest.fixture
async def office(office_of: OfficeOf) -> Office:
    """The office of 331124, with every right but pii:read."""
    return await office_of()
