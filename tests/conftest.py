"""The harness every test shares: real PostgreSQL, real Apache Kafka, tokens, databases, clients.

Servers live for the session and start when first asked for; databases, topics and clients live for
one test. Nothing here stands in for anything.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import topics as kafka_topics
from deploy.local.provision import ServiceDatabase
from shared import crypto
from shared.settings import Settings
from tests.support.databases import DatabaseOf, Databases
from tests.support.platform import Platform, running_platform
from tests.support.servers import running_kafka, running_postgres
from tests.support.services import ClientOf, SettingsOf, Surroundings, app_of, serving
from tests.support.tokens import Tokens, serving_tokens

__all__ = ["ClientOf", "DatabaseOf", "SettingsOf"]


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The superuser's address of a PostgreSQL that lives for the session."""
    async with running_postgres(tmp_path_factory.mktemp("postgres-home")) as admin_url:
        yield admin_url


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The bootstrap address of an Apache Kafka that lives for the session."""
    async with running_kafka(tmp_path_factory.mktemp("kafka-home")) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
async def sample_platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """The whole platform with the sample county, for the session: nobody moves its clock."""
    home = tmp_path_factory.mktemp("sample-platform")
    async with running_platform(home, with_sample=True) as platform:
        yield platform


@pytest.fixture(scope="session")
def databases(postgres: str) -> Databases:
    """Migrated databases to copy from; most tests want ``database_of``."""
    return Databases(postgres)


@pytest.fixture
async def database_of(databases: Databases) -> AsyncIterator[DatabaseOf]:
    """Makes fresh, migrated databases for this test alone, dropped at its end."""
    async with AsyncExitStack() as held:

        async def fresh(service: str) -> ServiceDatabase:
            return await held.enter_async_context(databases.copy(service))

        yield fresh


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tokens]:
    """``tokens(scopes=…, officer="o1", divisions=("331124",))`` signs; its JWKS is served."""
    with serving_tokens(tmp_path_factory.mktemp("tokens")) as served:
        yield served


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory, tokens: Tokens) -> Surroundings:
    """What services are told about the world; without Kafka."""
    folder = tmp_path_factory.mktemp("services")
    key_file = folder / "keys.json"
    crypto.new_key_file(key_file)
    crypto.configure(key_file, "AES-GCM")
    return Surroundings(tokens=tokens, key_file=key_file, folder=folder)


@pytest.fixture
async def topics(kafka: str) -> AsyncIterator[str]:
    """All topics of the contracts under a prefix of this test's own; gives the prefix."""
    prefix = f"t{uuid4().hex[:10]}."
    await kafka_topics.create(kafka, prefix=prefix)
    yield prefix
    await kafka_topics.delete(kafka, prefix=prefix)


@pytest.fixture
def settings_of(surroundings: Surroundings) -> SettingsOf:
    """``settings_of("registry", database, **changes)``: that service's settings, without Kafka."""
    return surroundings.settings


@pytest.fixture
def kafka_settings_of(surroundings: Surroundings, kafka: str, topics: str) -> SettingsOf:
    """As ``settings_of``, on the real broker with this test's own topics."""
    return replace(surroundings, kafka_bootstrap_servers=kafka, topic_prefix=topics).settings


@pytest.fixture
async def client_of(settings_of: SettingsOf, tokens: Tokens) -> AsyncIterator[ClientOf]:
    """Makes clients of the real apps; arguments below.

    With ``scopes`` it sends a token of these rights by itself;
    ``settings`` replaces the settings; every POST gets a fresh Idempotency-Key (``""`` for none).
    """
    async with AsyncExitStack() as held:

        async def client(
            service: str,
            database: ServiceDatabase,
            *,
            scopes: str | None = None,
            settings: Settings | None = None,
            **rights: Any,
        ) -> httpx.AsyncClient:
            app = app_of(settings or settings_of(service, database))
            headers = {} if scopes is None else tokens.headers(scopes=scopes, **rights)
            return await held.enter_async_context(serving(app, headers=headers))

        yield client
