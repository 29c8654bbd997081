"""Kills, restarts and rebalances under load: every final row is there, applied once."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path as Folder
from uuid import UUID

import pytest
from aiokafka.consumer.fetcher import Fetcher
from prometheus_client import REGISTRY

from deploy.local import kafka as local_kafka
from deploy.local import provision
from deploy.local import topics as kafka_topics
from deploy.local.kafka import KafkaBroker
from deploy.local.postgres import PostgresServer
from deploy.local.processes import Processes
from shared import migrations
from shared.consumer import Consumer
from shared.db import Database
from shared.identity import new_id
from shared.watchdog import StalledError
from tests.bus.conftest import Path
from tests.bus.notes import PREPARE_LISTENER, execute, running, scalar, write
from tests.bus.test_delivery import until_drained, until_latest
from tests.bus.test_parking import until_retried
from tests.support.databases import PASSWORDS
from tests.support.ports import free_ports
from tests.support.waiting import until

ROOT = Folder(__file__).resolve().parents[2]


@contextmanager
def process(path: Path, kind: str, member: str = "a") -> Iterator[subprocess.Popen[bytes]]:
    """A relay or a listener in a process of its own; killed at the end if it still lives."""
    url = path.writer_at.worker_url if kind == "relay" else path.listener_at.worker_url
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.bus.programs", kind, url, path.kafka, path.prefix, member],
        cwd=ROOT,
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


@asynccontextmanager
async def load(path: Path, households: list[UUID]) -> AsyncIterator[dict[UUID, tuple[int, str]]]:
    """Versions of all households are written all the time; gives what must stand at the end."""
    expected: dict[UUID, tuple[int, str]] = {}
    stop = asyncio.Event()

    async def keep_writing() -> None:
        for version in itertools.count(1):
            for begin in range(0, len(households), 20):
                rows = [(one, version, f"v{version}") for one in households[begin : begin + 20]]
                await write(path.writer, *rows)
                expected.update({one: (version, text) for one, version, text in rows})
                if stop.is_set():
                    return

    writing = asyncio.ensure_future(keep_writing())
    try:
        yield expected
    finally:
        stop.set()
        await writing


async def progress(path: Path, rows: int) -> None:
    """Wait until the listener has applied that many more rows."""
    query = "SELECT count(*) FROM applied"
    before = await scalar(path.listener, query)
    assert isinstance(before, int)

    async def further() -> bool:
        now = await scalar(path.listener, query)
        assert isinstance(now, int)
        return now >= before + rows

    await until(further, what=f"{rows} more rows applied", seconds=60)


async def test_kill_9_of_the_relay_under_load(path: Path) -> None:
    households = [new_id() for _ in range(100)]
    async with running(path.consumer().run):
        async with load(path, households) as expected:
            for _ in range(3):
                with process(path, "relay"):
                    await progress(path, 300)
        with process(path, "relay"):
            await until_drained(path)
            await until_latest(path, expected)
    assert await scalar(path.listener, "SELECT count(*) FROM parked") == 0


async def test_kill_9_of_the_consumer_under_load(path: Path) -> None:
    households = [new_id() for _ in range(100)]
    async with running(path.relay().run):
        async with load(path, households) as expected:
            for _ in range(3):
                with process(path, "consumer"):
                    await progress(path, 300)
        with process(path, "consumer"):
            await until_drained(path)
            await until_latest(path, expected)
    assert await scalar(path.listener, "SELECT count(*) FROM parked") == 0


async def test_two_members_share_and_take_over(path: Path) -> None:
    households = [new_id() for _ in range(200)]
    async with running(path.relay().run), load(path, households) as expected:
        with process(path, "consumer", "a"):
            await progress(path, 200)
            with process(path, "consumer", "b"):
                await progress(path, 2000)
            # b is gone without a word; a has all partitions once b's session has run out.
            await progress(path, 2000)
            async with running(path.consumer(member="c", session_timeout=6.0).run):
                await progress(path, 2000)
    async with running(path.relay().run, path.consumer(member="a", session_timeout=6.0).run):
        await until_latest(path, expected)
    assert await scalar(path.listener, "SELECT count(*) FROM parked") == 0


@asynccontextmanager
async def own_broker(path: Path, home: Folder) -> AsyncIterator[tuple[KafkaBroker, Processes]]:
    """A broker that the test may hurt, with this test's topics."""
    processes = Processes(home)
    await local_kafka.fetch_jars(processes.log_of("maven"))
    port, controller_port = free_ports(2)
    broker = KafkaBroker(
        home / "kafka", processes, port=port, controller_port=controller_port, for_tests=True
    )
    await broker.prepare()
    try:
        await broker.start()
        await kafka_topics.create(broker.address, prefix=path.prefix)
        yield broker, processes
    finally:
        await processes.stop()


async def test_a_killed_broker_comes_back(path: Path, tmp_path: Folder) -> None:
    households = [new_id() for _ in range(100)]
    async with own_broker(path, tmp_path) as (broker, processes):
        relay = path.relay(bootstrap_servers=broker.address, send_deadline=5.0)
        consumer = path.consumer(bootstrap_servers=broker.address)
        async with running(relay.run, consumer.run):
            async with load(path, households) as expected:
                await progress(path, 300)
                await processes.stop("kafka", patience=0)
                await backlog(path, 500)
                await broker.start()
                await progress(path, 300)
            await until_drained(path)
            await until_latest(path, expected)
    assert await scalar(path.listener, "SELECT count(*) FROM parked") == 0


async def test_a_broker_that_freezes_again_and_again_ends_no_relay(
    path: Path, tmp_path: Folder
) -> None:
    """Requests under way and connections half made: neither may cancel the relay itself."""
    households = [new_id() for _ in range(100)]
    async with own_broker(path, tmp_path) as (broker, processes):
        relay = path.relay(bootstrap_servers=broker.address, send_deadline=0.5)
        pid = processes.pid_of("kafka")
        assert pid is not None
        async with running(relay.run, path.consumer(bootstrap_servers=broker.address).run):
            async with load(path, households) as expected:
                for _ in range(3):
                    await progress(path, 300)
                    os.kill(pid, signal.SIGSTOP)
                    await backlog(path, 1500)
                    os.kill(pid, signal.SIGCONT)
                    await progress(path, 300)
            await until_drained(path)
            await until_latest(path, expected)


async def backlog(path: Path, rows: int) -> None:
    """Wait until so many rows are unsent."""

    async def waiting() -> bool:
        now = await scalar(path.writer, "SELECT count(*) FROM outbox")
        assert isinstance(now, int)
        return now >= rows

    await until(waiting, what=f"{rows} unsent rows")


def fall_silent(consumer: Consumer) -> None:
    """End aiokafka's fetching, as its known faults do: no error, and no record ever again."""
    kafka = consumer._kafka
    assert kafka is not None
    kafka._fetcher._fetch_task.cancel()
    for task in kafka._fetcher._pending_tasks:
        task.cancel()


def rebuilds() -> float:
    """How many Kafka clients the listener has made anew."""
    name = "bangfu_consumer_rebuilds_total"
    return REGISTRY.get_sample_value(name, {"service": "education"}) or 0.0


async def test_the_watchdog_rebuilds_a_silent_consumer(path: Path) -> None:
    households = [new_id() for _ in range(2)]
    consumer = path.consumer(stall_after=2.0)
    async with running(path.relay().run, consumer.run):
        await write(path.writer, (households[0], 1, "heard"))
        await until_latest(path, {households[0]: (1, "heard")})
        before = rebuilds()
        fall_silent(consumer)
        await write(path.writer, (households[1], 1, "not heard at first"))
        await until_latest(
            path, {households[0]: (1, "heard"), households[1]: (1, "not heard at first")}
        )
        assert rebuilds() == before + 1


async def test_silence_right_after_a_rebuild_ends_the_process(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = path.consumer(stall_after=2.0)
    consuming = asyncio.ensure_future(consumer.run(asyncio.Event()))
    async with running(path.relay().run):
        await write(path.writer, (new_id(), 1, "heard"))

        async def applied() -> bool:
            return await scalar(path.listener, "SELECT count(*) FROM applied") == 1

        await until(applied, what="the first event")
        # Every client made from here on is as silent as the first has just become.
        monkeypatch.setattr(Fetcher, "_fetch_requests_routine", never)
        fall_silent(consumer)
        await write(path.writer, (new_id(), 1, "never heard"))
        await asyncio.wait([consuming], timeout=30)
    with pytest.raises(StalledError):
        consuming.result()


async def never(_: Fetcher) -> None:
    """A fetching task that fetches nothing."""
    await asyncio.Event().wait()


async def test_a_database_that_restarts_is_waited_for(path: Path, tmp_path: Folder) -> None:
    """The listener's database stops under load and comes back: nothing parked, nothing lost."""
    processes = Processes(tmp_path)
    server = PostgresServer(
        tmp_path / "postgres",
        processes,
        port=free_ports(1)[0],
        password="test-superuser",
        durable=False,
    )
    await server.prepare()
    await server.start()
    try:
        await provision.provision(server.admin_url, PASSWORDS)
        home = provision.addresses(server.admin_url, "education", PASSWORDS)
        await asyncio.to_thread(migrations.upgrade, "education", home.owner_url)
        await execute(home.owner_url, PREPARE_LISTENER)
        database = Database(home.worker_url, application_name="test", pool_size=3)
        own = Path(path.kafka, path.prefix, path.writer_at, home, path.writer, database)
        households = [new_id() for _ in range(60)]
        try:
            async with running(own.relay().run, own.consumer().run):
                async with load(own, households) as expected:
                    await progress(own, 300)
                    await processes.stop("postgresql")
                    await until_retried(2)
                    await server.start()
                    await progress(own, 300)
                await until_drained(own)
                await until_latest(own, expected)
            assert await scalar(own.listener, "SELECT count(*) FROM parked") == 0
        finally:
            await database.close()
    finally:
        await processes.stop()
