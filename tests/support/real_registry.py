"""A real registry over HTTP with the issuer of development, for services that ask it something."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import text

from deploy.local import issuer
from shared.db import Database
from tests.registry.filing import ALL, household, know_places, person
from tests.support.databases import Databases
from tests.support.ports import free_ports
from tests.support.services import Surroundings, app_of, serving
from tests.support.waiting import until

COUNTY = "331124"


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

    def asked_by(self, client_id: str) -> dict[str, Any]:
        """What the client of a service of this name is made with."""
        return {
            "registry_url": self.url,
            "token_url": f"{self.issuer_url}/token",
            "client_id": client_id,
        }

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
        """Adults of these names, each filed with a household of his own; their ids in order."""
        files = [await self.file(person(name=name)) for name in names]
        return [UUID(file["members"][0]["person_id"]) for file in files]

    @asynccontextmanager
    async def office(self) -> AsyncIterator[httpx.AsyncClient]:
        """The registry's own office of the sample county."""
        form = {"scope": ALL, "divisions": COUNTY, "officer_id": "o1"}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self.issuer_url}/token", data=form)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        async with serving(self.app, headers=headers) as client:
            yield client

    async def file(self, *members: dict[str, Any], **facts: Any) -> dict[str, Any]:
        """A household filed through the registry's own API, as the registry shows it."""
        async with self.office() as client:
            opened = await client.post("/v1/households", json=household(*members, **facts))
            assert opened.status_code == 201, opened.text
            found = await client.get(f"/v1/households/{opened.json()['household_id']}")
            shown: dict[str, Any] = found.json()
            return shown

    async def readings(self, person_id: UUID) -> list[dict[str, Any]]:
        """The registry's audit lines of a person whose name was read."""
        query = "SELECT * FROM audit_log WHERE subject_id = :id AND action = 'person.read'"
        async with self.database.transaction() as session:
            lines = await session.execute(text(query), {"id": str(person_id)})
            return [dict(line) for line in lines.mappings()]


@asynccontextmanager
async def issuing(folder: Path) -> AsyncIterator[str]:
    """The development issuer over HTTP while inside; gives its address."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BANGFU_ISSUER", url)
        patched.setenv("BANGFU_SIGNING_KEY", str(folder / "key.pem"))
        app = issuer.create()
    async with listening(app, port):
        yield url


@asynccontextmanager
async def registry_at_home(
    databases: Databases, surroundings: Surroundings, issuer_url: str
) -> AsyncIterator[RealRegistry]:
    """A registry of its own while inside; it answers to nobody yet."""
    async with databases.copy("registry") as urls:
        (port,) = free_ports(1)
        known = {"jwks_url": f"{issuer_url}/jwks.json", "token_issuer": issuer_url}
        app = app_of(surroundings.settings("registry", urls, **known))
        database = Database(urls.worker_url, application_name="tests-worker")
        await know_places(database)
        yield RealRegistry(app, port, issuer_url, database)
        await database.close()
