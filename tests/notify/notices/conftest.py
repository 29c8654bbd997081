"""A real registry over HTTP with the issuer of development, whose names the posting asks for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from deploy.local import issuer
from services.notify.notices.jobs import Desk
from services.notify.registry_client import Registry
from shared.db import Database
from tests.notify.support import COUNTY, rows
from tests.registry.filing import ALL, household, know_places, person
from tests.support.databases import Databases
from tests.support.ports import free_ports
from tests.support.services import Surroundings, app_of, serving
from tests.support.waiting import until


class _Server(uvicorn.Server):
    """Leaves signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(app: FastAPI, port: int) -> AsyncIterator[None]:
    """The app served over HTTP on this port of 127.0.0.1 while inside."""
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False)
    server = _Server(config)
    task = asyncio.create_task(server.serve())

    async def started() -> bool:
        assert not task.done(), "the server ended"
        return server.started

    try:
        await until(started, what=f"port {port} to listen", every=0.01)
        yield
    finally:
        server.should_exit = True
        await task


@dataclass
class RealRegistry:
    """A registry with people in it; ``start`` and ``stop`` make it answer, or not."""

    app: FastAPI
    port: int
    issuer_url: str
    database: Database
    _held: AsyncExitStack | None = None

    @property
    def url(self) -> str:
        """Where it answers while it is up."""
        return f"http://127.0.0.1:{self.port}"

    def desk(self, **changes: Any) -> Desk:
        """The desk of a notify that asks this registry."""
        known: dict[str, Any] = {
            "registry_url": self.url,
            "token_url": f"{self.issuer_url}/token",
            "client_id": "notify",
        }
        return Desk(registry=Registry(**(known | changes)), phones={COUNTY: "0578-8062345"})

    async def start(self) -> None:
        """Let it answer."""
        self._held = AsyncExitStack()
        await self._held.enter_async_context(listening(self.app, self.port))

    async def stop(self) -> None:
        """Let nobody answer on its port any more."""
        if self._held is not None:
            held, self._held = self._held, None
            await held.aclose()

    async def people(self, *names: str) -> list[UUID]:
        """Adults of these names, filed through the registry's own API; their ids in order."""
        form = {"scope": ALL, "divisions": COUNTY, "officer_id": "o1"}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self.issuer_url}/token", data=form)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        found = []
        async with serving(self.app, headers=headers) as client:
            for name in names:
                opened = await client.post("/v1/households", json=household(person(name=name)))
                assert opened.status_code == 201, opened.text
                file = await client.get(f"/v1/households/{opened.json()['household_id']}")
                found.append(UUID(file.json()["members"][0]["person_id"]))
        return found

    async def readings(self, person_id: UUID) -> list[dict[str, Any]]:
        """The registry's audit lines of a person whose name was read."""
        query = "SELECT * FROM audit_log WHERE subject_id = :id AND action = 'person.read'"
        return await rows(self.database, query, id=str(person_id))


@pytest.fixture(scope="module")
async def issuer_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The development issuer, over HTTP."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BANGFU_ISSUER", url)
        patched.setenv("BANGFU_SIGNING_KEY", str(tmp_path_factory.mktemp("issuer") / "key.pem"))
        app = issuer.create()
    async with listening(app, port):
        yield url


@pytest.fixture(scope="module")
async def registry_home(
    databases: Databases, surroundings: Surroundings, issuer_url: str
) -> AsyncIterator[RealRegistry]:
    """One registry a module; it answers to nobody yet."""
    async with databases.copy("registry") as urls:
        (port,) = free_ports(1)
        known = {"jwks_url": f"{issuer_url}/jwks.json", "token_issuer": issuer_url}
        app = app_of(surroundings.settings("registry", urls, **known))
        database = Database(urls.worker_url, application_name="tests-worker")
        await know_places(database)
        yield RealRegistry(app, port, issuer_url, database)
        await database.close()


@pytest.fixture
async def registry(registry_home: RealRegistry) -> AsyncIterator[RealRegistry]:
    """A registry that answers."""
    await registry_home.start()
    yield registry_home
    await registry_home.stop()
