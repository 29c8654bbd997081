"""The whole local stack: servers, databases, topics, services; started, watched and stopped."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

import asyncpg
from sqlalchemy import text

from deploy.local import fleet, kafka, preflight, provision, topics
from deploy.local.failures import CannotStartError
from deploy.local.kafka import KafkaBroker
from deploy.local.layout import SAMPLE, Layout, noted
from deploy.local.postgres import NAME as POSTGRES
from deploy.local.postgres import PostgresServer, answers
from deploy.local.processes import Processes, Program
from deploy.local.progress import Show
from deploy.local.provision import SERVICES, ServiceDatabase
from shared import crypto, divisions, migrations, replay, workdays
from shared.db import Database

_CALM_SECONDS = 60.0
_LONGEST_WAIT = 30.0


class Stack:
    """One stack in one home folder. ``start``, then ``watch`` until told to ``stop``."""

    def __init__(self, layout: Layout, show: Show) -> None:
        self.layout = layout
        self.show = show
        self.processes = Processes(layout.home)
        self._restarts: dict[str, Callable[[], Awaitable[object]]] = {}
        self._broker: KafkaBroker | None = None

    async def start(self) -> dict[str, ServiceDatabase]:
        """Bring everything up; returns where the databases are. Raises CannotStartError."""
        left = await self.processes.stop_leftovers()
        if left:
            self.show.line(f"  ✓ stopped what an earlier start left running: {', '.join(left)}")
        preflight.check(self.layout)
        passwords = self.layout.passwords()
        server = await self._prepare_postgres(passwords["postgres"])
        self._make_keys()
        self._run(fleet.issuer(self.layout))
        self._run(fleet.sources(self.layout))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._start_kafka())
                prepared = both.create_task(self._start_databases(server, passwords))
        except* CannotStartError as several:
            raise _first(several) from several
        databases = prepared.result()
        await self._start_services(databases)
        return databases

    async def watch(self) -> None:
        """Start again whatever ends by itself, later each time it does so soon after. Endless."""
        delays: dict[str, float] = {}
        async with asyncio.TaskGroup() as restarts:
            while True:
                for program, code in self.processes.ended():
                    delay = delays.get(program.name, 1.0)
                    delays[program.name] = min(delay * 2, _LONGEST_WAIT)
                    asyncio.get_running_loop().call_later(
                        _CALM_SECONDS + delay, delays.pop, program.name, None
                    )
                    restarts.create_task(self._start_again(program.name, code, delay))
                await asyncio.sleep(0.3)

    async def stop(self) -> None:
        """Stop services first, then the servers they use. Nothing stays behind."""
        servers = {kafka.NAME, POSTGRES}
        await self.processes.stop(*[name for name in self._restarts if name not in servers])
        if self._broker is not None:
            await self._broker.stop()
        await self.processes.stop(patience=30)

    async def _prepare_postgres(self, password: str) -> PostgresServer | None:
        if self.layout.postgres_url is not None:
            return None
        server = PostgresServer(
            self.layout.home / "postgres",
            self.processes,
            port=self.layout.postgres_port,
            password=password,
        )
        async with self.show.step("PostgreSQL: data folder"):
            prepared = await server.prepare()
        if prepared.aside is not None:
            self.show.line(
                f"  ! the PostgreSQL data folder was half-written: kept as {prepared.aside}, "
                f"started with an empty one"
            )
        if prepared.fresh:
            KafkaBroker.forget(self.layout.home / "kafka")
        return server

    def _make_keys(self) -> None:
        """Key rings of the encrypted fields; a lost one is refused, never quietly replaced."""
        missing = [name for name in SERVICES if not self.layout.key_file(name).exists()]
        if missing and (self.layout.home / "migrated").exists():
            raise CannotStartError(
                f"{self.layout.key_file(missing[0])} is gone and the data of {missing[0]} cannot "
                f"be read without it: put it back, or give the data up with `make clean`"
            )
        for service in missing:
            crypto.new_key_file(self.layout.key_file(service))

    async def _start_databases(
        self, server: PostgresServer | None, passwords: dict[str, str]
    ) -> dict[str, ServiceDatabase]:
        if server is not None:
            async with self.show.step(f"PostgreSQL on port {server.port}"):
                await server.start()
            self._restarts[POSTGRES] = server.start
            await provision.close_common_databases(server.admin_url)
        admin_url = self.layout.admin_url(passwords)
        await _refuse_unreachable(admin_url)
        async with self.show.step("six databases, three roles each"):
            await provision.provision(admin_url, passwords)
        databases = {name: provision.addresses(admin_url, name, passwords) for name in SERVICES}
        await migrate(databases, self.show)
        (self.layout.home / "migrated").touch()
        await self._load_reference_data(databases)
        return databases

    async def _load_reference_data(self, databases: dict[str, ServiceDatabase]) -> None:
        """Once an edition; a database that was made anew since then gets it all the same."""
        edition = hashlib.sha256((SAMPLE / "divisions.csv").read_bytes()).hexdigest()
        edition += version("chinese-calendar")
        same = noted(self.layout.home).get("reference") == edition
        async with self.show.step("division codes and working days") as step:
            for done, database in enumerate(databases.values(), start=1):
                if not (same and await _holds_reference_data(database)):
                    await load_reference_data(database)
                step.tell(done, len(databases))
        self.layout.note(reference=edition)

    async def _start_kafka(self) -> None:
        if self.layout.kafka is not None:
            await self._use_own_kafka(self.layout.kafka)
        else:
            await self._start_broker()
        async with self.show.step("topics"):
            await topics.create(self.layout.bootstrap)

    async def _use_own_kafka(self, address: str) -> None:
        async with self.show.step(f"Kafka of your own at {address}"):
            if not await kafka.answers(address):
                raise CannotStartError(
                    f"no Kafka answers at {address}: correct KAFKA_BOOTSTRAP_SERVERS, or unset it "
                    f"to start the embedded broker"
                )

    async def _start_broker(self) -> None:
        if not kafka.jars().exists():
            async with self.show.step("Kafka: fetching its jars, once (54 MB)"):
                await kafka.fetch_jars(self.processes.log_of("maven"))
        broker = KafkaBroker(
            self.layout.home / "kafka",
            self.processes,
            port=self.layout.kafka_port,
            controller_port=self.layout.controller_port,
        )
        async with self.show.step(f"Apache Kafka on port {self.layout.kafka_port}"):
            if await broker.prepare():
                # Kept on disk: a launcher killed before the replay must not forget it.
                self.layout.note(replay_wanted=True)
            self._broker = broker
            await broker.start()
        self._restarts[kafka.NAME] = broker.start

    async def _start_services(self, databases: dict[str, ServiceDatabase]) -> None:
        if noted(self.layout.home).get("replay_wanted"):
            again = await _rewind(databases)
            self.layout.note(replay_wanted=False)
            if again:
                self.show.line(f"  ! Kafka starts without records: {again:,} events are sent again")
        async with self.show.step("six services, an api and a worker each") as step:
            for program in fleet.programs(self.layout, databases):
                self._run(program)
            await fleet.until_ready(self.layout, self.processes, step)

    def _run(self, program: Program) -> None:
        async def again() -> None:
            self.processes.start(program)

        self.processes.start(program)
        self._restarts[program.name] = again

    async def _start_again(self, name: str, code: int, delay: float) -> None:
        log = self.processes.log_of(name)
        self.show.line(f"{name} ended with code {code}, starts again in {delay:.0f} s (log: {log})")
        await asyncio.sleep(delay)
        try:
            await self._restarts[name]()
        except CannotStartError as failed:
            self.show.line(str(failed))
            await self._start_again(name, code, min(delay * 2, _LONGEST_WAIT))


async def migrate(databases: dict[str, ServiceDatabase], show: Show) -> None:
    """Bring every service's database to its newest schema, as its owner."""
    async with show.step("migrations") as step:
        for done, (service, database) in enumerate(databases.items(), start=1):
            await asyncio.to_thread(migrations.upgrade, service, database.owner_url)
            step.tell(done, len(databases))


async def migrate_running(layout: Layout, show: Show) -> None:
    """`make migrate`: the databases of a stack that is up, or of a server of your own."""
    passwords = layout.passwords()
    admin_url = layout.admin_url(passwords)
    if not await answers(admin_url):
        raise CannotStartError("PostgreSQL does not answer: run `make up` first")
    await migrate(
        {name: provision.addresses(admin_url, name, passwords) for name in SERVICES}, show
    )


async def load_reference_data(database: ServiceDatabase) -> None:
    """Division codes and the working-day calendar; changes nothing where both are there."""
    async with _opened(database.owner_url) as opened, opened.transaction() as session:
        await divisions.load_csv(session, SAMPLE / "divisions.csv")
        await workdays.seed(session)


async def _holds_reference_data(database: ServiceDatabase) -> bool:
    both = "SELECT EXISTS (SELECT FROM divisions) AND EXISTS (SELECT FROM working_days)"
    async with _opened(database.owner_url) as opened, opened.transaction() as session:
        return bool((await session.execute(text(both))).scalar())


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, application_name="make-up", pool_size=1)
    try:
        yield database
    finally:
        await database.close()


async def _rewind(databases: dict[str, ServiceDatabase]) -> int:
    """A broker without records: listeners read from its start, writers send their history again.

    On a first start there is neither, and nothing happens. Returns how many events that are.
    """
    total = 0
    for database in databases.values():
        async with _opened(database.worker_url) as opened:
            async with opened.transaction() as session:
                await session.execute(text("DELETE FROM consumer_offsets"))
            total += await replay.replay(opened, replay.Selection())
    return total


async def _refuse_unreachable(admin_url: str) -> None:
    try:
        connection = await asyncpg.connect(admin_url, timeout=10)
        version = connection.get_server_version()
        await connection.close()
    except (OSError, asyncpg.PostgresError, ValueError) as failed:
        raise CannotStartError(
            f"PostgreSQL cannot be reached ({failed}): correct BANGFU_POSTGRES_URL, or unset it to "
            f"start the embedded server"
        ) from failed
    if version.major < 18:
        raise CannotStartError(
            f"BANGFU_POSTGRES_URL names a PostgreSQL {version.major}; 18 or later is needed"
        )


def _first(several: BaseExceptionGroup[CannotStartError]) -> CannotStartError:
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
