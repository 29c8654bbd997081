"""Each service stands alone: its folder and shared/ in an empty place start and take an event."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from confluent_kafka import Producer

from shared.contracts.assistance import AssistanceEvent
from shared.contracts.registry import HouseholdEvent
from shared.contracts.topics import HOUSEHOLDS, RELIEF_ASSISTANCE, Topic
from shared.settings import Settings
from tests.conftest import DatabaseOf, SettingsOf
from tests.contracts.sample_events import Sample, load
from tests.support.running import HOUSE, running
from tests.support.waiting import until

UVICORN_ENDED = -signal.SIGTERM
"""After a clean shutdown uvicorn raises the signal that it was sent once more."""
LISTENERS_OF_HOUSEHOLDS = ("relief", "housing", "education", "employment", "notify")


@pytest.fixture
def alone(tmp_path: Path) -> Callable[[str], Path]:
    """Copies one service's folder, with shared/ and nothing else, into an empty place."""

    def copy(service: str) -> Path:
        place = tmp_path / "alone"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HOUSE / "shared", place / "shared", ignore=ignored)
        shutil.copytree(HOUSE / "services" / service, place / "services" / service, ignore=ignored)
        shutil.copy(HOUSE / "services" / "__init__.py", place / "services")
        return place

    return copy


def send(settings: Settings, topic: Topic, sample: Sample) -> None:
    """Put a stored sample on the real broker, as another service's relay would."""
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap_servers, "acks": "all"})
    producer.produce(
        settings.topic_prefix + topic.name, sample.value, sample.key, headers=dict(sample.headers)
    )
    assert producer.flush(20) == 0, "the broker did not take the sample"


async def arrived(settings: Settings, query: str, subject: str) -> None:
    """Wait until the service's own database shows what the event said."""
    connection = await asyncpg.connect(settings.worker_database_url)
    try:

        async def look() -> bool:
            return await connection.fetchval(query, UUID(subject)) is not None

        await until(look, what=f"{settings.service} to apply the event", seconds=40)
    finally:
        await connection.close()


@pytest.mark.parametrize("service", LISTENERS_OF_HOUSEHOLDS)
async def test_a_listener_of_households_stands_alone(
    service: str,
    database_of: DatabaseOf,
    kafka_settings_of: SettingsOf,
    alone: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    settings = kafka_settings_of(service, await database_of(service))
    async with running(settings, tmp_path) as processes:
        processes.house = alone(service)
        await processes.start_api()
        await processes.start_worker()
        sample = load(HouseholdEvent.IDENTIFIED)
        send(settings, HOUSEHOLDS, sample)
        await arrived(
            settings,
            "SELECT household_id FROM household_copy WHERE household_id = $1 AND version = 1",
            sample.envelope.subject,
        )
        assert processes.stop("worker") == 0
        assert processes.stop("api") == UVICORN_ENDED


async def test_the_registry_stands_alone(
    database_of: DatabaseOf,
    kafka_settings_of: SettingsOf,
    alone: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    """Aid for a household it does not know is set aside, not lost."""
    settings = kafka_settings_of("registry", await database_of("registry"))
    async with running(settings, tmp_path) as processes:
        processes.house = alone("registry")
        await processes.start_api()
        await processes.start_worker()
        sample = load(AssistanceEvent.ASSISTED)
        send(settings, RELIEF_ASSISTANCE, sample)
        await arrived(
            settings,
            "SELECT id FROM parked WHERE aggregate_id = $1::uuid::text AND state = 'parked'",
            sample.envelope.subject,
        )
        assert processes.stop("worker") == 0
        assert processes.stop("api") == UVICORN_ENDED


@pytest.mark.parametrize("service", ["registry", *LISTENERS_OF_HOUSEHOLDS])
def test_a_service_imports_nothing_it_was_not_given(
    service: str, alone: Callable[[str], Path]
) -> None:
    program = f"import services.{service}.main, services.{service}.worker, services.{service}.db"
    result = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd="/",
        env={"PYTHONPATH": str(alone(service))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
