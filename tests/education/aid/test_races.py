"""Runs that meet other runs, a change of stage or a kill: still everyone once (C36)."""

import asyncio
import sys
from decimal import Decimal
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.education.aid import actions, jobs, queries
from services.education.aid.rules import Term
from shared import clock
from shared.contracts.registry import SchoolStage
from shared.db import EVERYWHERE, Database
from tests.education.support import (
    ASSISTED,
    COUNTY,
    blocked,
    child,
    family,
    receive,
    rows,
    run_jobs,
    told,
    with_members,
)
from tests.support.waiting import until


async def _order(client: httpx.AsyncClient, term: Term, division: str = COUNTY) -> dict[str, Any]:
    answer = await client.post("/v1/aid-runs", json={"term": str(term), "division": division})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def test_two_runs_at_once_grant_each_pupil_once(
    worker: Database,
    amounts: None,
    client: httpx.AsyncClient,
    term: Term,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both runs at work at the same time, by the real runner's two slots."""
    monkeypatch.setattr(jobs, "CHUNK", 7)
    await receive(worker, *[family(child(), child()) for _ in range(30)])
    runs = [await _order(client, term), await _order(client, term, "331124100")]
    assert [job["state"] for job in await run_jobs(worker)] == ["succeeded"] * 2
    found = await rows(worker, "SELECT person_id FROM aid")
    assert len(found) == len({row["person_id"] for row in found}) == 60
    assert len(await told(worker, ASSISTED)) == 60
    totals = [(await client.get(f"/v1/aid-runs/{run['run_id']}")).json() for run in runs]
    assert sum(Decimal(run["total_yuan"]) for run in totals) == 60 * 500
    assert [run["exceptions"] for run in totals] == [0, 0]


async def test_the_second_of_two_runs_waits_for_the_first_and_passes_over(
    worker: Database, amounts: None, client: httpx.AsyncClient, term: Term
) -> None:
    pupil = child()
    await receive(worker, family(pupil))
    first, second = await _order(client, term), await _order(client, term)
    async with worker.transaction() as session:
        run = await queries.run_by_id(session, first["run_id"], (EVERYWHERE,))
        assert run is not None
        assert await actions.grant_aid(session, run, [pupil.person_id]) == 1
        waiting = asyncio.create_task(_grant(worker, second["run_id"], pupil.person_id))
        await until(lambda: blocked(worker), what="the second run to wait for the first")
    assert await waiting == 0
    assert len(await told(worker, ASSISTED)) == 1


async def _grant(worker: Database, run_id: Any, person_id: Any) -> int:
    async with worker.transaction() as session:
        run = await queries.run_by_id(session, run_id, (EVERYWHERE,))
        assert run is not None
        return await actions.grant_aid(session, run, [person_id])


async def test_a_stage_that_changes_meanwhile_waits_for_the_run(
    worker: Database, amounts: None, client: httpx.AsyncClient, term: Term
) -> None:
    pupil = child()
    state = family(pupil)
    await receive(worker, state)
    run_id = (await _order(client, term))["run_id"]
    promoted = pupil.model_copy(update={"school_stage": SchoolStage.JUNIOR})
    newer = with_members(state, state.members[0], promoted)
    async with worker.transaction() as session:
        run = await queries.run_by_id(session, run_id, (EVERYWHERE,))
        assert run is not None
        await actions.grant_aid(session, run, [pupil.person_id])
        waiting = asyncio.create_task(receive(worker, newer, version=2))
        await until(lambda: blocked(worker), what="the change to wait for the run")
    await waiting
    (row,) = await rows(worker, "SELECT stage, amount FROM aid")
    assert (row["stage"], row["amount"]) == ("primary", Decimal(500))


async def test_a_run_is_paid_once_when_two_sign_at_once(
    worker: Database,
    amounts: None,
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    term: Term,
) -> None:
    await receive(worker, family(child()))
    run = await _order(client, term)
    await run_jobs(worker)
    path, paid = f"/v1/aid-runs/{run['run_id']}/pay", {"paid_on": clock.today().isoformat()}
    answers = await asyncio.gather(*(colleague.post(path, json=paid) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409]
    await run_jobs(worker)
    assert [row["version"] for row in await told(worker, ASSISTED)] == [1, 2]


WORKER = """
import asyncio, sys
from services.education.aid import actions, jobs
from shared.db import Database
from shared.jobs import Runner

async def main():
    jobs.CHUNK = 1
    database = Database(sys.argv[1], application_name="killed-worker", pool_size=3)
    handlers = {actions.GRANT: jobs.grant, actions.PAY: jobs.pay}
    await Runner(database, handlers).run(asyncio.Event())

asyncio.run(main())
"""


async def test_a_run_whose_worker_is_killed_goes_on_where_it_was(
    education: ServiceDatabase,
    worker: Database,
    amounts: None,
    client: httpx.AsyncClient,
    term: Term,
) -> None:
    """Killed with -9 in the middle; nobody left out, nobody granted or announced twice."""
    await receive(worker, *[family(child(), child()) for _ in range(100)])
    run = await _order(client, term)
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, education.worker_url
    )
    try:
        await until(lambda: _granted_at_least(worker, 10), what="some aid", every=0.005)
    finally:
        killed.kill()
        await killed.wait()
    before = len(await rows(worker, "SELECT 1 FROM aid"))
    assert 10 <= before < 200, "killed too late to prove anything"
    (job,) = await run_jobs(worker)
    assert (job["state"], job["done"]) == ("succeeded", 200)
    found = (await client.get(f"/v1/aid-runs/{run['run_id']}")).json()
    assert (found["aided"], found["total_yuan"]) == (200, "100000.00")
    events = await told(worker, ASSISTED)
    assert (len(events), len({event["subject"] for event in events})) == (200, 200)


async def _granted_at_least(worker: Database, count: int) -> bool:
    return len(await rows(worker, "SELECT 1 FROM aid")) >= count
