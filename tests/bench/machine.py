"""What rows run on: real PostgreSQL with fsync, real Apache Kafka, tokens, processes, memory.

Started on free ports, stopped at the end by process id. Nothing here is measured.
"""

import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx

from deploy.local import fleet, provision
from deploy.local.processes import Processes, Program
from deploy.local.provision import ServiceDatabase
from shared import crypto
from shared.settings import Settings
from tests.bench.memory import Memory
from tests.support.databases import PASSWORDS, Databases
from tests.support.ports import free_ports
from tests.support.servers import running_kafka, running_postgres
from tests.support.services import Surroundings, environment
from tests.support.tokens import Tokens, serving_tokens
from tests.support.waiting import until

HOUSE = Path(__file__).parents[2]
Tell = Callable[[str], None]


class Bench:
    """The servers of one benchmark, and how a row gets its databases and processes.

    ``admin_url`` is the superuser's address, ``folder`` a place for files on the same disk,
    ``tokens`` signs for every api started here, ``memory`` holds the peaks, ``tell`` says how far.
    """

    def __init__(
        self, *, admin_url: str, surroundings: Surroundings, held: AsyncExitStack, tell: Tell
    ) -> None:
        self.admin_url = admin_url
        self.surroundings = surroundings
        self.folder = surroundings.folder
        self.tokens: Tokens = surroundings.tokens
        self.memory = Memory()
        self.tell = tell
        self._databases = Databases(admin_url)
        self._processes = Processes(self.folder / "programs")
        self._held = held
        self._kafka: str | None = None
        held.push_async_callback(self._processes.stop)

    def database(self, service: str) -> AbstractAsyncContextManager[ServiceDatabase]:
        """A migrated database of this service, fresh, dropped at the end of the block."""
        return self._databases.copy(service)

    @asynccontextmanager
    async def copied(self, service: str, filled: ServiceDatabase) -> AsyncIterator[ServiceDatabase]:
        """A filled database of this service again, dropped at the end of the block."""
        source = filled.owner_url.rsplit("/", 1)[1]
        name = f"{service}_{uuid4().hex[:12]}"
        admin = await asyncpg.connect(self.admin_url)
        try:
            await admin.execute(
                f'CREATE DATABASE "{name}" OWNER {service}_owner TEMPLATE "{source}"'
            )
            await provision.close_doors(admin, service, name)
            await admin.execute("CHECKPOINT")
            yield provision.addresses(self.admin_url, service, PASSWORDS, name=name)
        finally:
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await admin.close()

    async def bare_database(self, name: str, tables: str) -> str:
        """A database of the superuser with these tables, for a baseline; gives its address."""
        for place, order in (("postgres", f"CREATE DATABASE {name}"), (name, tables)):
            connection = await asyncpg.connect(self.address_of(place))
            try:
                await connection.execute(order)
            finally:
                await connection.close()
        return self.address_of(name)

    def keep(self, name: str, content: bytes) -> Path:
        """A file of the run."""
        place = self.folder / name
        place.write_bytes(content)
        return place

    def address_of(self, database: str) -> str:
        """The superuser's address of a database, by its name."""
        return self.admin_url.rpartition("/")[0] + f"/{database}"

    async def kafka(self) -> str:
        """The bootstrap address of the one broker; it starts when first asked for."""
        if self._kafka is None:
            self.tell("starting Apache Kafka")
            self._kafka = await self._held.enter_async_context(
                running_kafka(self.folder / "kafka-home")
            )
        return self._kafka

    def start(
        self, name: str, arguments: Sequence[str], env: Mapping[str, str] | None = None
    ) -> None:
        """Start ``python <arguments>`` as a process of its own; the name must be free.

        It gets this process's environment without the platform's variables, and ``env``.
        """
        inherited = {key: value for key, value in os.environ.items() if "BANGFU" not in key}
        told = inherited | {"PYTHONPATH": str(HOUSE)} | dict(env or {})
        self._processes.start(Program(name=name, argv=[sys.executable, *arguments], env=told))

    async def stop(self, *names: str) -> None:
        """Stop processes that ``start`` started, after a last look at their memory."""
        self.memory.look()
        await self._processes.stop(*names)

    def check(self) -> None:
        """Raise RuntimeError, with its last words, when a started process has ended by itself."""
        for program, code in self._processes.ended():
            words = self._processes.log_of(program.name).read_text(errors="replace")[-3000:]
            raise RuntimeError(f"{program.name} ended with code {code}:\n{words}")

    @asynccontextmanager
    async def api(self, settings: Settings, name: str = "") -> AsyncIterator[str]:
        """One api process of a service, started as `make up` starts it; gives its address."""
        factory = f"services.{settings.service}.main:create"
        async with self.app(
            name or f"{settings.service}-api",
            factory,
            port=settings.api_port,
            env=environment(settings),
            ready="/readyz",
        ) as address:
            yield address

    @asynccontextmanager
    async def app(
        self,
        name: str,
        factory: str,
        *,
        env: Mapping[str, str],
        port: int | None = None,
        ready: str,
    ) -> AsyncIterator[str]:
        """Any ASGI app under the same server and settings as an api; gives its address."""
        number = port or free_ports(1)[0]
        address = f"http://127.0.0.1:{number}"
        self.start(name, fleet.uvicorn_command(factory, number)[1:], env)
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                await until(
                    lambda: self._answers(client, address + ready), what=f"{name} to answer"
                )
            yield address
        finally:
            await self.stop(name)

    async def _answers(self, client: httpx.AsyncClient, address: str) -> bool:
        self.check()
        try:
            return (await client.get(address)).is_success
        except httpx.TransportError:
            return False


@asynccontextmanager
async def running_bench(folder: Path, tell: Tell) -> AsyncIterator[Bench]:
    """PostgreSQL with fsync and everything that rows ask for; all stopped at the end."""
    async with AsyncExitStack() as held:
        tell("starting PostgreSQL, with fsync")
        admin_url = await held.enter_async_context(
            running_postgres(folder / "postgres-home", durable=True)
        )
        tokens = held.enter_context(serving_tokens(folder))
        key_file = folder / "keys.json"
        crypto.new_key_file(key_file)
        crypto.configure(key_file, "AES-GCM")
        bench = Bench(
            admin_url=admin_url,
            surroundings=Surroundings(tokens=tokens, key_file=key_file, folder=folder),
            held=held,
            tell=tell,
        )
        await held.enter_async_context(bench.memory.watching())
        yield bench
