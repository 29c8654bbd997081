"""Runs that meet other runs, a settling or a kill: still everyone once (C13)."""

import asyncio
import sys
from datetime import date
from decimal import Decimal
from uuid import UUID

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.households.handlers import on_households
from services.relief.payments import actions, jobs, queries
from shared.db import Database
from tests.relief.support import (
    ASSISTED,
    COUNTY,
    blocked,
    lifted,
    payments,
    receive,
    rows,
    run_jobs,
    set_line,
)
from tests.support.builders import household, household_event, member
from tests.support.waiting import until


async def _order(client: httpx.AsyncClient, month: str, division: str = COUNTY) -> UUID:
    order = {"programme": "dibao", "month": month, "division": division}
    answer = await client.post("/v1/payment-runs", json=order)
    assert answer.status_code == 202, answer.text
    return UUID(answer.json()["run_id"])


async def test_two_runs_at_once_pay_each_household_once(
    client: httpx.AsyncClient, worker: Database, month: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both runs at work at the same time, by the real runner's two slots."""
    monkeypatch.setattr(jobs, "CHUNK", 7)
    states = [household(members=[member(), member()]) for _ in range(60)]
    await receive(worker, *states)
    runs = [await _order(client, month), await _order(client, month, "331124100")]
    done = await run_jobs(worker)
    assert [job["state"] for job in done] == ["succeeded"] * 2, done
    paid = await payments(worker)
    assert len(paid) == len({row["payee_household_id"] for row in paid}) == 60
    assert len(await rows(worker, "SELECT 1 FROM payment_beneficiaries")) == 120
    assert len(await rows(worker, ASSISTED)) == 60
    totals = [(await client.get(f"/v1/payment-runs/{run}")).json() for run in runs]
    assert sum(Decimal(run["total_yuan"]) for run in totals) == 60 * 1800
    assert [run["exceptions"] for run in totals] == [0, 0]


async def _pay_held(worker: Database, run_id: UUID, household_ids: list[UUID]) -> int:
    async with worker.transaction() as session:
        run = await queries.run_by_id(session, run_id, ("",))
        assert run is not None
        return await actions.pay_households(session, run, household_ids)


async def test_one_person_in_two_counties_is_paid_for_by_one_of_two_runs_at_once(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient, worker: Database, month: str
) -> None:
    """The second run's claim waits for the first run's commit and then finds the person taken."""
    mover = member()
    here = household(members=[member(), mover])
    there = household(members=[mover, member()], division_code="331102001001")
    await receive(worker, here, there)
    first, second = await _order(client, month), await _order(neighbour, month, "331102")
    async with worker.transaction() as session:
        run = await queries.run_by_id(session, first, ("",))
        assert run is not None
        assert await actions.pay_households(session, run, [here.household_id]) == 1
        waiting = asyncio.create_task(_pay_held(worker, second, [there.household_id]))
        await until(lambda: blocked(worker), what="the second run to wait for the first")
    assert await waiting == 0
    (paid,) = await payments(worker)
    assert paid["payee_household_id"] == here.household_id
    (exception,) = await rows(worker, "SELECT * FROM payment_exceptions")
    assert exception["household_id"] == there.household_id


async def test_a_run_waits_for_a_household_that_is_being_settled(
    client: httpx.AsyncClient, worker: Database, month: str
) -> None:
    """Stopped in the same moment: the run sees the stop, not what held before it."""
    state = household()
    await receive(worker, state)
    run_id = await _order(client, month)
    stopping = asyncio.Event()
    stopped = lifted(state, date(2026, 5, 5))

    async def stop() -> None:
        async with worker.transaction() as session:
            await on_households(session, [household_event(stopped, version=2)])
            stopping.set()
            await until(lambda: blocked(worker), what="the run to wait for the settling")

    settling = asyncio.create_task(stop())
    await stopping.wait()
    assert await _pay_held(worker, run_id, [state.household_id]) == 0
    await settling
    assert await payments(worker) == []


async def test_a_run_that_overtakes_a_recalculation_pays_by_the_new_line(
    client: httpx.AsyncClient, worker: Database, month: str
) -> None:
    """A line is approved, its recalculation still waits for its turn, the month is paid."""
    state = household()
    await receive(worker, state)
    await set_line(worker, "1250", date(2026, 2, 1), division="331100")
    run_id = await _order(client, month)
    assert await _pay_held(worker, run_id, [state.household_id]) == 1
    (paid,) = await payments(worker)
    assert paid["amount"] == Decimal(750)
    (why,) = await rows(worker, "SELECT amount FROM dibao_grants WHERE superseded_at IS NULL")
    assert why["amount"] == paid["amount"]


WORKER = """
import asyncio, sys
from services.relief.payments import actions, jobs
from shared import crypto
from shared.db import Database
from shared.jobs import Runner

async def main():
    jobs.CHUNK = 1
    database = Database(sys.argv[1], application_name="killed-worker", pool_size=3)
    await Runner(database, {actions.PAY: jobs.pay}).run(asyncio.Event())

asyncio.run(main())
"""


async def test_a_run_whose_worker_is_killed_goes_on_where_it_was(
    client: httpx.AsyncClient, relief: ServiceDatabase, worker: Database, month: str
) -> None:
    """Killed with -9 in the middle; nobody left out, nobody paid or announced twice."""
    states = [household() for _ in range(300)]
    await receive(worker, *states)
    run_id = await _order(client, month)
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, relief.worker_url)
    try:
        await until(lambda: _paid_at_least(worker, 20), what="some payments", every=0.005)
    finally:
        killed.kill()
        await killed.wait()
    before = len(await payments(worker))
    assert 20 <= before < 300, "killed too late to prove anything"
    (job,) = await run_jobs(worker)
    assert (job["state"], job["done"]) == ("succeeded", 300)
    run = (await client.get(f"/v1/payment-runs/{run_id}")).json()
    assert (run["payments"], run["total_yuan"]) == (300, "195000.00")
    told = await rows(worker, ASSISTED)
    assert (len(told), len({event["subject"] for event in told})) == (300, 300)


async def _paid_at_least(worker: Database, count: int) -> bool:
    return len(await payments(worker)) >= count
