"""The worker as a process: all its parts run, or it ends and says so."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path as Folder

import httpx
import pytest
from sqlalchemy import text

from shared.contracts.registry import HouseholdEvent
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.events import NewEvent, publish
from tests.bus.conftest import Path
from tests.bus.notes import running, scalar
from tests.support import builders
from tests.support.ports import free_ports
from tests.support.services import Surroundings
from tests.support.waiting import until

ROOT = Folder(__file__).resolve().parents[2]


@contextmanager
def worker(
    path: Path, surroundings: Surroundings, *, port: int, **changes: str
) -> Iterator[subprocess.Popen[bytes]]:
    """``python -m services.education.worker`` as the launcher starts it."""
    told = {
        "PATH": os.environ["PATH"],
        "BANGFU_ENV": "development",
        "BANGFU_WORKER_DATABASE_URL": path.listener_at.worker_url,
        "BANGFU_KAFKA_BOOTSTRAP_SERVERS": path.kafka,
        "BANGFU_TOPIC_PREFIX": path.prefix,
        "BANGFU_KEY_FILE": str(surroundings.key_file),
        "BANGFU_WORKER_PORT": str(port),
    }
    started = subprocess.Popen(
        [sys.executable, "-m", "services.education.worker"], cwd=ROOT, env=told | changes
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


async def ready(port: int) -> bool:
    """Whether the worker on this port says that it is."""
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        except httpx.HTTPError:
            return False


async def ended(process: subprocess.Popen[bytes], *, within: float) -> int:
    """The exit code, waited for with a limit."""
    return await asyncio.to_thread(process.wait, within)


async def test_a_household_reaches_a_real_service(path: Path, surroundings: Surroundings) -> None:
    (port,) = free_ports(1)
    state = builders.household()
    with worker(path, surroundings, port=port) as process:
        await until(lambda: ready(port), what="the worker to be ready")
        async with path.writer.transaction() as session:
            event = NewEvent(
                topic=HOUSEHOLDS,
                type=HouseholdEvent.IDENTIFIED,
                subject=state.household_id,
                version=1,
                payload=state,
            )
            await publish(session, [event])
        async with running(path.relay().run):

            async def copied() -> bool:
                return await scalar(path.listener, "SELECT count(*) FROM household_copy") == 1

            await until(copied, what="the household in education's own database")
        async with httpx.AsyncClient(trust_env=False) as client:
            shown = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
            assert (await client.get(f"http://127.0.0.1:{port}/livez")).status_code == 200
        for name in ("bangfu_consumer_lag", "bangfu_parked", "bangfu_relay_unsent"):
            assert f"{name}{{" in shown
        process.send_signal(signal.SIGTERM)
        assert await ended(process, within=20) == 0


async def test_it_makes_months_ahead(path: Path, surroundings: Surroundings) -> None:
    (port,) = free_ports(1)
    owner = Database(path.listener_at.owner_url, application_name="test", pool_size=1)
    months = "SELECT count(*) FROM pg_class WHERE relispartition AND relname ~ '^events_2'"
    try:
        before = await scalar(owner, months)
        youngest = await last_month(owner)
        async with owner.transaction() as session:
            await session.execute(text(f"DROP TABLE {youngest}"))
        with worker(path, surroundings, port=port) as process:

            async def made() -> bool:
                return await scalar(owner, months) == before

            await until(made, what="the month to be made again")
            process.send_signal(signal.SIGTERM)
            assert await ended(process, within=20) == 0
    finally:
        await owner.close()


async def last_month(owner: Database) -> str:
    """The youngest partition of the history."""
    query = (
        "SELECT max(relname) FROM pg_class WHERE relispartition AND relname ~ '^events_2.*[0-9]$'"
    )
    name = await scalar(owner, query)
    assert isinstance(name, str)
    return name


async def test_a_part_that_cannot_run_ends_the_process(
    path: Path, surroundings: Surroundings
) -> None:
    """Two workers on one port: the second has no health server and must not pretend."""
    (port,) = free_ports(1)
    with worker(path, surroundings, port=port):
        await until(lambda: ready(port), what="the first worker to be ready")
        with worker(path, surroundings, port=port) as second:
            assert await ended(second, within=30) != 0


async def test_a_missing_address_is_one_clear_line(
    path: Path, surroundings: Surroundings, capfd: pytest.CaptureFixture[str]
) -> None:
    with worker(
        path, surroundings, port=free_ports(1)[0], BANGFU_KAFKA_BOOTSTRAP_SERVERS=""
    ) as process:
        assert await ended(process, within=20) != 0
    said = capfd.readouterr().err.strip().splitlines()
    assert said == ["education cannot start: set BANGFU_KAFKA_BOOTSTRAP_SERVERS"]


async def test_it_waits_for_a_broker_that_is_not_there(
    path: Path, surroundings: Surroundings
) -> None:
    (port,) = free_ports(1)
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    with worker(path, surroundings, port=port, BANGFU_KAFKA_BOOTSTRAP_SERVERS=nowhere) as process:
        await until(lambda: ready(port), what="the worker to be ready without Kafka")
        process.send_signal(signal.SIGTERM)
        assert await ended(process, within=30) == 0
