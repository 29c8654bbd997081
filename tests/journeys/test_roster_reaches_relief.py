"""The main job on real input: an office's roster goes in, and relief has every dibao grant.

Real PostgreSQL, real Apache Kafka, the services' own worker processes; the figures are those of
the sample county's roster as its office would reckon them by hand.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.clock import next_month
from tests.conftest import ClientOf, DatabaseOf, SettingsOf
from tests.support.places import load_divisions
from tests.support.running import Running, running
from tests.support.stewards import appoint_steward
from tests.support.tokens import Tokens
from tests.support.waiting import until

HOUSE = Path(__file__).parents[2]
ROSTER = HOUSE / "deploy" / "sample" / "roster-331124.xlsx"
EXPECTED = json.loads(
    (HOUSE / "tests/registry/rosters/roster-331124.expected.json").read_text(encoding="utf-8")
)
COUNTY = "331124"
PARAMETERS = "relief.parameters:read relief.parameters:write relief.parameters:approve"


@dataclass(frozen=True, slots=True)
class Platform:
    """Registry and relief on one broker: their databases, apis and worker processes."""

    registry_database: ServiceDatabase
    relief_database: ServiceDatabase
    registry: httpx.AsyncClient
    relief: httpx.AsyncClient
    registry_worker: Running
    relief_worker: Running


@pytest.fixture
async def platform(
    database_of: DatabaseOf,
    kafka_settings_of: SettingsOf,
    client_of: ClientOf,
    tmp_path: Path,
) -> AsyncIterator[Platform]:
    """Divisions loaded; no worker running yet."""
    registry_database = await database_of("registry")
    relief_database = await database_of("relief")
    for database in (registry_database, relief_database):
        await load_divisions(database)
    await appoint_steward(registry_database)
    registry_settings = kafka_settings_of("registry", registry_database)
    relief_settings = kafka_settings_of("relief", relief_database)
    async with (
        running(registry_settings, tmp_path) as registry_worker,
        running(relief_settings, tmp_path) as relief_worker,
    ):
        yield Platform(
            registry_database,
            relief_database,
            await client_of(
                "registry",
                registry_database,
                settings=registry_settings,
                scopes="registry.rosters:write registry.rosters:read registry.jobs:read"
                " registry.households:read",
            ),
            await client_of(
                "relief",
                relief_database,
                settings=relief_settings,
                scopes="relief.dibao:read relief.payments:read relief.payments:write"
                " relief.jobs:read",
            ),
            registry_worker,
            relief_worker,
        )


async def set_line(platform: Platform, tokens: Tokens) -> None:
    """The sample line of the county, entered by one officer and approved by another."""
    entered = await platform.relief.post(
        "/v1/parameters",
        json={
            "key": "dibao_line",
            "division_code": COUNTY,
            "valid_from": "2026-01-01",
            "value": "1150.00",
            "document_number": "sample, not official",
            "sample": True,
        },
        headers=tokens.headers(scopes=PARAMETERS, officer="o1"),
    )
    assert entered.status_code == httpx.codes.CREATED, entered.text
    approved = await platform.relief.post(
        f"/v1/parameters/{entered.json()['parameter_id']}/approve",
        headers=tokens.headers(scopes=PARAMETERS, officer="o2"),
    )
    assert approved.is_success, approved.text


async def send_roster(platform: Platform) -> str:
    """Upload the workbook; gives the job to follow."""
    sent = await platform.registry.post(
        "/v1/rosters", files={"file": (ROSTER.name, ROSTER.read_bytes())}
    )
    assert sent.status_code == httpx.codes.ACCEPTED, sent.text
    return str(sent.json()["job_id"])


async def job(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """How far a job has come."""
    answer = await client.get(f"/v1/jobs/{job_id}")
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    assert found["state"] != "failed", found
    return found


async def finished(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """Wait for a job's success."""

    async def look() -> dict[str, Any] | None:
        found = await job(client, job_id)
        return found if found["state"] == "succeeded" else None

    return await until(look, what=f"job {job_id} to succeed", seconds=120) or {}


async def progress(client: httpx.AsyncClient, job_id: str, done: int) -> None:
    """Wait until a job has done so much."""

    async def look() -> bool:
        return int((await job(client, job_id))["done"]) >= done

    await until(look, what=f"job {job_id} to have done {done}", seconds=120, every=0.01)


def first_month() -> str:
    """The first month that is paid for households identified today (R13)."""
    return next_month(clock.today()).isoformat()[:7]


async def grants(platform: Platform) -> dict[str, Any]:
    """Relief's own figures of the county's first month."""
    answer = await platform.relief.get(
        "/v1/grants/summary", params={"division": COUNTY, "month": first_month()}
    )
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def all_grants_there(platform: Platform) -> dict[str, Any]:
    """Wait until relief has a grant for every dibao household of the roster."""
    wanted = EXPECTED["dibao_grants_at_line_1150_a_month"]

    async def look() -> dict[str, Any] | None:
        found = await grants(platform)
        return found if found["households"] == wanted["households"] else None

    return await until(look, what="every dibao household's grant", seconds=90) or {}


async def count(database: ServiceDatabase, table: str) -> int:
    """Rows of a table, as its owner's worker sees them."""
    connection = await asyncpg.connect(database.worker_url)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 (constants)
    finally:
        await connection.close()


def assert_exact(found: dict[str, Any]) -> None:
    """The county's figures, to the yuan."""
    wanted = EXPECTED["dibao_grants_at_line_1150_a_month"]
    assert found["households"] == wanted["households"]
    assert found["above_zero"] == wanted["above_zero"]
    assert float(found["total_yuan"]) == float(wanted["total_yuan"])
    assert found["missing_standard"] == 0


async def test_relief_was_down_during_the_import_and_has_every_grant_once_up(
    platform: Platform, tokens: Tokens
) -> None:
    await set_line(platform, tokens)
    await platform.registry_worker.start_worker()
    done = await finished(platform.registry, await send_roster(platform))
    assert done["done"] == done["total"] == EXPECTED["households"]
    assert await count(platform.relief_database, "household_copy") == 0

    await platform.relief_worker.start_worker()
    assert_exact(await all_grants_there(platform))
    assert (
        await count(platform.relief_database, "household_copy")
        == (EXPECTED["accepted"]["households"])
    )
    assert await count(platform.relief_database, "member_copy") == EXPECTED["accepted"]["people"]

    events = await count(platform.registry_database, "events")
    decisions = await count(platform.relief_database, "dibao_grants")
    await finished(platform.registry, await send_roster(platform))
    assert await count(platform.registry_database, "events") == events
    assert await count(platform.registry_database, "outbox") == 0
    assert await count(platform.relief_database, "dibao_grants") == decisions


async def test_every_worker_is_killed_under_load_and_nothing_is_lost_or_doubled(
    platform: Platform, tokens: Tokens
) -> None:
    await set_line(platform, tokens)
    await platform.registry_worker.start_worker()
    await platform.relief_worker.start_worker()
    job_id = await send_roster(platform)
    for done in (200, 600):
        await progress(platform.registry, job_id, done)
        platform.registry_worker.kill("worker")
        platform.relief_worker.kill("worker")
        await platform.relief_worker.start_worker()
        await platform.registry_worker.start_worker()
    await finished(platform.registry, job_id)

    assert_exact(await all_grants_there(platform))
    assert await count(platform.registry_database, "events") == EXPECTED["accepted"]["households"]
    assert await count(platform.registry_database, "members") == EXPECTED["accepted"]["people"]


async def test_a_months_run_comes_back_as_the_registrys_aid_ledger(
    platform: Platform, tokens: Tokens
) -> None:
    await set_line(platform, tokens)
    await platform.registry_worker.start_worker()
    await platform.relief_worker.start_worker()
    await finished(platform.registry, await send_roster(platform))
    await all_grants_there(platform)
    wanted = EXPECTED["dibao_grants_at_line_1150_a_month"]

    run = await platform.relief.post(
        "/v1/payment-runs",
        json={"programme": "dibao", "month": first_month(), "division": COUNTY},
    )
    assert run.status_code == httpx.codes.ACCEPTED, run.text
    await finished(platform.relief, run.json()["job_id"])

    connection = await asyncpg.connect(platform.registry_database.worker_url)
    try:

        async def look() -> bool:
            entries = await connection.fetchval("SELECT count(*) FROM aid_ledger")
            return bool(entries == wanted["above_zero"])

        await until(look, what="every payment in the aid ledger", seconds=60)
        total = await connection.fetchval("SELECT sum(amount) FROM aid_ledger")
        assert total == int(wanted["total_yuan"])
        households = await connection.fetchval("SELECT count(*) FROM household_versions")
        assert households == EXPECTED["accepted"]["households"], "aid must not echo as a version"
    finally:
        await connection.close()
