"""The small capability ``things`` on a real app and database, for tests of the request path."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from deploy.local.provision import ServiceDatabase
from shared.api import create_app
from tests.support.databases import DatabaseOf
from tests.support.services import SettingsOf, serving
from tests.support.things import READER, WRITER, create_things, router
from tests.support.tokens import Tokens

ThingsClient = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def things_database(database_of: DatabaseOf) -> ServiceDatabase:
    """A database of notify with the table ``things``."""
    database = await database_of("notify")
    await create_things(database.owner_url)
    return database


@pytest.fixture
async def things_app(things_database: ServiceDatabase, settings_of: SettingsOf) -> FastAPI:
    """The app; each call of a client shares it."""
    settings = settings_of("notify", things_database, max_body_bytes=100_000)
    return create_app(settings, title="Things", routers=[router])


@pytest.fixture
async def things(things_app: FastAPI, tokens: Tokens) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may read and write in 331124."""
    headers = tokens.headers(scopes=[READER, WRITER])
    async with serving(things_app, headers=headers) as client:
        yield client


@pytest.fixture
async def things_app_with(
    things_database: ServiceDatabase, settings_of: SettingsOf, tokens: Tokens
) -> AsyncIterator[ThingsClient]:
    """Makes clients of further apps on the same database, with other settings."""
    async with AsyncExitStack() as held:

        async def client(**changes: Any) -> httpx.AsyncClient:
            settings = settings_of("notify", things_database, **changes)
            app = create_app(settings, title="Things", routers=[router])
            headers = tokens.headers(scopes=[READER, WRITER])
            return await held.enter_async_context(serving(app, headers=headers))

        yield client
