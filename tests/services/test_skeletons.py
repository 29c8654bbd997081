"""All six services start alike: app, migrations, commands; listeners keep their copy alike."""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from deploy.local.provision import SERVICES, ServiceDatabase
from shared import household_copy
from shared.contracts.registry import HouseholdEvent, HouseholdState
from shared.contracts.topics import HOUSEHOLDS, TOPICS
from shared.db import Database
from shared.settings import MissingSettingsError
from tests.conftest import ClientOf, DatabaseOf, SettingsOf
from tests.support.builders import household, household_event, member
from tests.support.places import CSV
from tests.support.services import environment

HOUSE = Path(__file__).parents[2]
LISTENERS = ("housing", "education", "employment", "notify")

PUBLIC = {
    ("registry", "/v1/public/leads"): "tests/registry/leads/test_public.py",
    ("registry", "/v1/public/leads/status"): "tests/registry/leads/test_public.py",
    ("notify", "/v1/public/feedback"): "tests/notify/feedback/test_public.py",
}
"""The few routes that ask for no token, and where their own limits are tested."""

every_service = pytest.mark.parametrize("service", SERVICES)


@every_service
async def test_the_api_lives_is_ready_and_describes_itself(
    service: str, database_of: DatabaseOf, client_of: ClientOf
) -> None:
    client = await client_of(service, await database_of(service))
    for path in ("/livez", "/readyz"):
        assert (await client.get(path)).status_code == 200
    assert "# HELP" in (await client.get("/metrics")).text
    described = (await client.get("/openapi.json")).json()
    assert described["info"]["title"] == f"Bangfu {service}"
    assert "/v1/divisions" in described["paths"]


@every_service
async def test_no_route_answers_without_a_token(
    service: str, database_of: DatabaseOf, client_of: ClientOf
) -> None:
    client = await client_of(service, await database_of(service))
    described = (await client.get("/openapi.json")).json()
    for path, methods in described["paths"].items():
        for method in methods:
            answer = await client.request(method, path, json={})
            if (service, path) in PUBLIC:
                assert answer.status_code == 422, path
                continue
            assert (answer.status_code, answer.json()["code"]) == (401, "token_missing"), path


@every_service
async def test_the_api_is_not_ready_before_its_database_is_migrated(
    service: str, database_of: DatabaseOf, client_of: ClientOf
) -> None:
    database = await database_of(service)
    await execute(database.owner_url, "UPDATE alembic_version SET version_num = '0000'")
    client = await client_of(service, database)
    assert (await client.get("/livez")).status_code == 200
    # An unknown revision is a newer one, which old code may serve; none at all is not.
    assert (await client.get("/readyz")).status_code == 200
    await execute(database.owner_url, "DELETE FROM alembic_version")
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_not_migrated")


@every_service
def test_the_worker_listens_to_topics_that_are_made_for_it(service: str) -> None:
    worker = importlib.import_module(f"services.{service}.worker")
    heard = {subscription.topic for subscription in worker.SUBSCRIPTIONS}
    assert heard <= {topic for topic in TOPICS if service in topic.listeners}
    if service != "registry":
        (households,) = (s for s in worker.SUBSCRIPTIONS if s.topic == HOUSEHOLDS)
        assert households.types == frozenset(HouseholdEvent)


@pytest.fixture
async def listener(
    request: pytest.FixtureRequest, database_of: DatabaseOf
) -> AsyncIterator[tuple[str, ServiceDatabase, Database]]:
    """A listening service, its database, and that as its worker."""
    database = await database_of(request.param)
    opened = Database(database.worker_url, application_name="tests")
    yield request.param, database, opened
    await opened.close()


every_listener_s_copy = pytest.mark.parametrize("listener", LISTENERS, indirect=True)


async def hear(service: str, database: Database, *states: tuple[HouseholdState, int]) -> None:
    """Let the service's own subscription handle these states and versions, one batch each."""
    heard = importlib.import_module(f"services.{service}.worker").SUBSCRIPTIONS
    (subscription,) = (one for one in heard if one.topic == HOUSEHOLDS)
    for state, version in states:
        async with database.transaction() as session:
            for handler in subscription.handlers:
                await handler(session, [household_event(state, version=version)])


async def stored(database: Database, state: HouseholdState) -> list[HouseholdState]:
    """The service's copy of this household."""
    async with database.transaction() as session:
        return await household_copy.load(session, [state.household_id])


@every_listener_s_copy
async def test_a_copy_follows_once_twice_and_late(
    listener: tuple[str, ServiceDatabase, Database],
) -> None:
    service, _, database = listener
    first = household(members=[member(), member()])
    changed = first.model_copy(update={"members": first.members[:1], "n": 1})
    await hear(service, database, (first, 1))
    assert await stored(database, first) == [first]
    await hear(service, database, (first, 1))
    assert await stored(database, first) == [first]
    await hear(service, database, (changed, 3), (first, 2))
    assert await stored(database, first) == [changed]


@every_listener_s_copy
async def test_the_api_s_role_sees_copies_of_its_divisions_only(
    listener: tuple[str, ServiceDatabase, Database],
) -> None:
    service, addresses, database = listener
    state = household()
    await hear(service, database, (state, 1))
    as_api = Database(addresses.api_url, application_name="tests")
    seen = {}
    for divisions in (("331124",), ("331121",), ()):
        async with as_api.transaction(divisions=divisions) as session:
            households = await household_copy.load(session, [state.household_id])
            members = await session.scalar(text("SELECT count(*) FROM member_copy"))
            seen[divisions] = (len(households), members)
    await as_api.close()
    assert seen == {("331124",): (1, 1), ("331121",): (0, 0), (): (0, 0)}


async def execute(url: str, *statements: str) -> None:
    """Run statements as the role of this address."""
    database = Database(url, application_name="tests")
    async with database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))
    await database.close()


async def command(settings: Any, *arguments: str) -> str:
    """What ``python -m services.<service> …`` prints; fails with it when it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"services.{settings.service}",
        *arguments,
        cwd=HOUSE,
        env=os.environ | environment(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed = (await process.communicate())[0].decode()
    assert process.returncode == 0, printed
    return printed


async def test_the_commands_bring_a_service_s_tables_up(
    database_of: DatabaseOf, settings_of: SettingsOf, client_of: ClientOf
) -> None:
    database = await database_of("notify")
    settings = settings_of("notify", database)
    assert "revision" in await command(settings, "migrate")
    assert "2191 divisions changed" in await command(settings, "divisions", "load", str(CSV))
    assert "8401 days changed" in await command(settings, "calendar", "load")
    client = await client_of("notify", database, scopes="")
    assert (await client.get("/v1/divisions/331124")).json()["name"] == "松阳县"


@every_service
def test_missing_settings_stop_the_start_with_their_names(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("BANGFU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BANGFU_KEY_FILE", "/nowhere/keys.json")
    main = importlib.import_module(f"services.{service}.main")
    main.load.cache_clear()
    with pytest.raises(MissingSettingsError, match=f"{service} .*BANGFU_API_DATABASE_URL"):
        main.create()
    main.load.cache_clear()


async def test_a_worker_without_settings_ends_with_one_line() -> None:
    clean = {name: value for name, value in os.environ.items() if "BANGFU" not in name}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.education.worker",
        cwd=HOUSE,
        env=clean | {"BANGFU_KEY_FILE": "/nowhere/keys.json"},
        stderr=asyncio.subprocess.PIPE,
    )
    (told,) = (await process.communicate())[1].decode().splitlines()
    assert process.returncode == 1
    assert "set BANGFU_WORKER_DATABASE_URL, BANGFU_KAFKA_BOOTSTRAP_SERVERS" in told
