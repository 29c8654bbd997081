"""All six services for a row: their databases, topics and workers, as `make up` runs them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
import httpx

from deploy.local.provision import SERVICES, ServiceDatabase
from deploy.local.stack import load_reference_data
from shared.contracts.topics import HOUSEHOLDS
from tests.bench import topics
from tests.bench.machine import Bench
from tests.support.services import environment
from tests.support.waiting import until


@dataclass(frozen=True, slots=True, kw_only=True)
class Six:
    """Running services. ``apis`` holds the addresses of the apis that were asked for."""

    bootstrap: str
    prefix: str
    databases: dict[str, ServiceDatabase]
    apis: dict[str, str]

    async def listeners_have(self, events: int) -> bool:
        """Whether all five listeners have applied so many household events."""
        return all(
            await asyncio.gather(*(self._has(name, events) for name in HOUSEHOLDS.listeners))
        )

    async def _has(self, service: str, events: int) -> bool:
        return bool(await value(self.databases[service], _APPLIED, HOUSEHOLDS.name, events))


@asynccontextmanager
async def six_services(bench: Bench, *, with_apis: Sequence[str] = ()) -> AsyncIterator[Six]:
    """Fresh and ready; stopped and dropped at the end."""
    bootstrap = await bench.kafka()
    async with AsyncExitStack() as held:
        databases = {
            name: await held.enter_async_context(bench.database(name)) for name in SERVICES
        }
        prefix = await held.enter_async_context(topics.fresh_topics(bootstrap))
        for database in databases.values():
            await load_reference_data(database)
        settings = {
            name: bench.surroundings.settings(
                name, database, kafka_bootstrap_servers=bootstrap, topic_prefix=prefix
            )
            for name, database in databases.items()
        }
        apis = {
            name: await held.enter_async_context(bench.api(settings[name])) for name in with_apis
        }
        workers = [f"{name}-worker" for name in SERVICES]
        held.push_async_callback(bench.stop, *workers)
        for name in SERVICES:
            module = f"services.{name}.worker"
            bench.start(f"{name}-worker", ["-m", module], environment(settings[name]))
        await _until_ready(bench, [each.worker_port for each in settings.values()])
        yield Six(bootstrap=bootstrap, prefix=prefix, databases=databases, apis=apis)


async def value(database: ServiceDatabase, query: str, *given: object) -> object:
    """One value, asked as the service's worker."""
    connection = await asyncpg.connect(database.worker_url)
    try:
        return await connection.fetchval(query, *given)
    finally:
        await connection.close()


async def _until_ready(bench: Bench, ports: Sequence[int]) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:

        async def ready() -> bool:
            bench.check()
            try:
                answers = [await client.get(f"http://127.0.0.1:{port}/readyz") for port in ports]
            except httpx.TransportError:
                return False
            return all(answer.is_success for answer in answers)

        await until(ready, what="six workers to be ready", seconds=120)


_APPLIED = """
    SELECT coalesce(sum(next_offset), 0) >= $2 FROM consumer_offsets WHERE topic = $1
"""
