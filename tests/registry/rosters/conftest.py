"""An office with its registry: hands rosters in over HTTP and works jobs off, as a worker does."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from deploy.local.provision import ServiceDatabase
from services.registry.worker import JOBS
from shared.db import Database
from shared.job_runner import Runner
from shared.settings import Settings
from tests.conftest import DatabaseOf, SettingsOf
from tests.support.places import load_divisions
from tests.support.services import app_of, serving
from tests.support.stewards import appoint_steward
from tests.support.tokens import Tokens
from tests.support.waiting import until

HERE = Path(__file__).parent
SAMPLE = HERE.parents[2] / "deploy" / "sample" / "roster-331124.xlsx"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SCOPES = (
    "registry.rosters:read registry.rosters:write registry.jobs:read registry.households:read "
    "registry.households:write registry.households:decide"
)


@pytest.fixture(scope="session")
def sample() -> bytes:
    """The county's workbook as its office keeps it."""
    return SAMPLE.read_bytes()


@pytest.fixture(scope="session")
def expected() -> dict[str, Any]:
    """What must come of it."""
    found: dict[str, Any] = json.loads((HERE / "roster-331124.expected.json").read_text())
    return found


@dataclass(slots=True)
class Office:
    """A county's office: its client, and its registry's database as the worker sees it."""

    client: httpx.AsyncClient
    worker: Database
    service: ServiceDatabase
    settings: Settings
    client_as: Callable[..., Awaitable[httpx.AsyncClient]]

    async def hand_in(
        self, content: bytes, *, dry_run: bool = False, client: httpx.AsyncClient | None = None
    ) -> httpx.Response:
        """The upload's answer."""
        return await (client or self.client).post(
            "/v1/rosters",
            params={"dry_run": dry_run},
            files={"file": ("花名册.xlsx", content, XLSX)},
        )

    async def bring_in(self, content: bytes, **options: Any) -> dict[str, Any]:
        """Hand in and work off; gives the roster as the API shows it in the end."""
        answer = await self.hand_in(content, **options)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        await self.work_off()
        return await self.roster(answer.json()["roster_id"])

    async def work_off(self, *, runners: int = 1) -> None:
        """Run the worker's jobs until none is open."""
        stop = asyncio.Event()

        async def none_open() -> bool:
            return not await self.count("jobs", "state IN ('queued', 'running')")

        async with asyncio.TaskGroup() as group:
            for _ in range(runners):
                group.create_task(Runner(self.worker, JOBS, poll_seconds=0.2).run(stop))
            try:
                await until(none_open, what="all jobs over", seconds=240, every=0.2)
            finally:
                stop.set()

    async def roster(self, roster_id: str) -> dict[str, Any]:
        """One roster with its figures."""
        answer = await self.client.get(f"/v1/rosters/{roster_id}")
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def report(self, roster_id: str, **asked: Any) -> list[dict[str, Any]]:
        """Every row of a report, all pages of it."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = {"cursor": cursor} if cursor else {}
            answer = await self.client.get(
                f"/v1/rosters/{roster_id}/report", params={"limit": 200, **asked, **page}
            )
            assert answer.status_code == httpx.codes.OK, answer.text
            rows += answer.json()["items"]
            cursor = answer.json()["next_cursor"]
            if cursor is None:
                return rows

    async def count(self, table: str, where: str = "true") -> int:
        """Rows of a table, seen by the worker."""
        async with self.worker.transaction() as session:
            query = text(f"SELECT count(*) FROM {table} WHERE {where}")  # noqa: S608 (a test's own)
            return int((await session.execute(query)).scalar_one())

    async def rows(self, query: str, **values: Any) -> list[Any]:
        """Rows of a query, seen by the worker."""
        async with self.worker.transaction() as session:
            return list((await session.execute(text(query), values)).all())


@asynccontextmanager
async def opened(
    service: ServiceDatabase, settings: Settings, tokens: Tokens
) -> AsyncIterator[Office]:
    """An office on a migrated database of the registry, with the divisions loaded."""
    await load_divisions(service)
    await appoint_steward(service)
    worker = Database(service.worker_url, application_name="roster-tests", pool_size=8)
    async with AsyncExitStack() as held:

        async def client_as(scopes: str = SCOPES, **rights: Any) -> httpx.AsyncClient:
            headers = tokens.headers(scopes=scopes, **rights)
            return await held.enter_async_context(serving(app_of(settings), headers=headers))

        held.push_async_callback(worker.close)
        yield Office(await client_as(), worker, service, settings, client_as)


@pytest.fixture
async def office(
    database_of: DatabaseOf, settings_of: SettingsOf, tokens: Tokens
) -> AsyncIterator[Office]:
    """The office of Songyang county with an empty registry."""
    service = await database_of("registry")
    async with opened(service, settings_of("registry", service), tokens) as office:
        yield office


def household_ids(rows: list[dict[str, Any]]) -> list[UUID]:
    """The registry's households of report rows."""
    return [UUID(row["household_id"]) for row in rows if row["household_id"]]
