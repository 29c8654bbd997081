"""A worker killed with -9 in the middle of an import, and another one that takes over."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.registry.rosters.conftest import Office
from tests.support.running import running
from tests.support.waiting import until


@pytest.mark.parametrize("at_household", [0, 400])
async def test_an_import_survives_the_death_of_its_worker(
    office: Office, sample: bytes, tmp_path: Path, at_household: int
) -> None:
    answer = await office.hand_in(sample)
    job_id = answer.json()["job_id"]

    async def job() -> Any:
        (row,) = await office.rows("SELECT * FROM jobs WHERE job_id = :id", id=job_id)
        return row

    async with running(office.settings, tmp_path) as service:
        # Not waited for until it is ready: without Kafka it never is, and jobs run all the same.
        service._start("worker", "-m", "services.registry.worker")
        await until(lambda: _begun(job, at_household), what="the import to begin", seconds=120)
        service.kill("worker")
        half = await job()
        assert half.state == "running"
        assert half.done < 1200
        assert await office.count("households") == await office.count(
            "roster_findings", "verdict = 'accepted'"
        )

        service._start("worker", "-m", "services.registry.worker")
        await until(lambda: _over(job), what="the import to end", seconds=240, every=0.2)

    roster = await office.roster(answer.json()["roster_id"])
    assert roster["figures"]["verdicts"] == {"accepted": 1183, "rejected": 17}
    assert (roster["done"], roster["total"]) == (1200, 1200)
    assert await office.count("households") == 1183
    assert await office.count("persons") == 3453
    assert await office.count("events") == 1183
    assert await office.count("roster_findings") == 1200


async def _begun(job: Any, at_household: int) -> bool:
    row = await job()
    return bool(row.state == "running" and row.done >= at_household)


async def _over(job: Any) -> bool:
    row = await job()
    assert row.state != "failed", row.failure
    await asyncio.sleep(0)
    return bool(row.state == "succeeded")
