"""Long work in chunks: each done once, whoever works on it; people follow it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.provision import ServiceDatabase
from shared import api, jobs, logs
from shared.db import Database
from shared.jobs import Job, Runner, Step
from tests.conftest import DatabaseOf, SettingsOf
from tests.shared.job_work import CALLER, COUNTY, chunks_of, counting, over, queue, running, seen
from tests.support.services import serving
from tests.support.tokens import Tokens
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _logs_as_in_production() -> None:
    logs.configure("education", "WARNING")


@pytest.fixture
async def service(database_of: DatabaseOf) -> ServiceDatabase:
    """A service's database."""
    return await database_of("education")


@pytest.fixture
async def database(service: ServiceDatabase) -> AsyncIterator[Database]:
    """It, as its worker."""
    opened = Database(service.worker_url, application_name="tests", pool_size=20)
    yield opened
    await opened.close()


async def test_a_job_is_done_chunk_by_chunk_to_its_result(database: Database) -> None:
    job_id = await queue(database, month="2026-03")
    queued = await seen(database, job_id)
    assert (queued.state, queued.done, queued.arguments) == ("queued", 0, {"month": "2026-03"})
    assert (queued.created_by, queued.cursor, queued.started_at) == ("anne", None, None)
    async with running(database, {"count": counting(5)}):
        (job,) = await over(database, job_id)
    assert (job.state, job.done, job.total, job.result) == ("succeeded", 5, 5, {"chunks": 5})
    assert job.started_at
    assert job.finished_at
    assert job.created_at <= job.started_at <= job.finished_at
    assert await chunks_of(database, job_id) == 5


async def test_a_job_of_a_transaction_that_rolled_back_never_was(database: Database) -> None:
    async with database.transaction() as session:
        job = await jobs.enqueue(session, CALLER, "count", {}, COUNTY)
        await session.rollback()
    async with database.transaction() as session:
        assert await jobs.find(session, job.job_id) is None


async def test_progress_shows_while_it_runs_and_a_chunk_shows_when_it_is_whole(
    database: Database,
) -> None:
    at_rest, go_on = asyncio.Event(), asyncio.Event()
    count = counting(3)

    async def halting(session: AsyncSession, job: Job) -> Step:
        step = await count(session, job)
        if step.done == 2:
            at_rest.set()
            await go_on.wait()
        return step

    job_id = await queue(database)
    async with running(database, {"count": halting}):
        async with asyncio.timeout(10):
            await at_rest.wait()
        midway = await seen(database, job_id)
        assert (midway.state, midway.done, midway.total) == ("running", 1, 3)
        assert await chunks_of(database, job_id) == 1
        go_on.set()
        await over(database, job_id)


async def test_four_runners_share_out_the_jobs_and_do_each_chunk_once(database: Database) -> None:
    ids = [await queue(database) for _ in range(12)]
    done: list[tuple[UUID, int]] = []
    handlers = {"count": counting(8, done_in=done)}
    async with running(database, handlers, runners=4):
        finished = await over(database, *ids)
    assert {job.state for job in finished} == {"succeeded"}
    assert Counter(done) == Counter({(job_id, n): 1 for job_id in ids for n in range(1, 9)})


async def test_a_job_in_hand_does_not_hold_up_the_others(database: Database) -> None:
    """Without the advisory lock the second slot would queue up behind the first one's job."""
    go_on, count, asked = asyncio.Event(), counting(1), Counter[UUID]()

    async def halting(session: AsyncSession, job: Job) -> Step:
        asked[job.job_id] += 1
        if job.job_id == first:
            await go_on.wait()
        return await count(session, job)

    first, second, third = [await queue(database) for _ in range(3)]
    async with running(database, {"count": halting}):
        await over(database, second, third)
        assert (await seen(database, first)).state == "running"
        go_on.set()
        await over(database, first)
    assert set(asked.values()) == {1}


async def test_two_at_one_job_because_a_lock_was_lost_still_do_each_chunk_once(
    database: Database,
) -> None:
    """The advisory lock only spares work: with its connections cut again and again, all holds."""
    job_id = await queue(database)
    done: list[tuple[UUID, int]] = []
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with running(database, {"count": counting(60, done_in=done)}, runners=3):
        for cuts in range(1, 6):

            async def goes_on(least: int = cuts * 5) -> bool:
                return len(done) >= least

            await until(goes_on, what="more chunks", every=0.002)
            async with database.transaction() as session:
                await session.execute(cut)
        (job,) = await over(database, job_id)
    assert (job.state, await chunks_of(database, job_id)) == ("succeeded", 60)


async def test_stopping_finishes_the_chunk_and_leaves_the_job_to_the_next(
    service: ServiceDatabase, database: Database
) -> None:
    in_chunk = asyncio.Event()
    count = counting(4)

    async def telling(session: AsyncSession, job: Job) -> Step:
        in_chunk.set()
        await asyncio.sleep(0.05)
        return await count(session, job)

    job_id = await queue(database)
    async with running(database, {"count": telling}):
        async with asyncio.timeout(10):
            await in_chunk.wait()
    left = await seen(database, job_id)
    assert (left.state, left.done) == ("running", 1)
    # The first worker's connections stay open meanwhile: none of them may hold the job.
    following = Database(service.worker_url, application_name="following")
    async with running(following, {"count": count}):
        (job,) = await over(database, job_id)
    await following.close()
    assert (job.state, await chunks_of(database, job_id)) == ("succeeded", 4)


async def test_jobs_of_kinds_that_this_worker_does_not_know_wait(database: Database) -> None:
    unknown, known = await queue(database, "of tomorrow"), await queue(database)
    async with running(database, {"count": counting(1)}):
        await over(database, known)
    assert (await seen(database, unknown)).state == "queued"


async def test_without_kinds_the_runner_waits_for_its_end(database: Database) -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(Runner(database, {}).run(stop))
    stop.set()
    async with asyncio.timeout(5):
        await waiting


@pytest.fixture
async def clients(
    service: ServiceDatabase, settings_of: SettingsOf, tokens: Tokens
) -> AsyncIterator[Any]:
    """Makes clients of an app with jobs; nothing runs them."""
    made = api.create_app(
        settings_of("education", service),
        title="jobs under test",
        routers=[jobs.router("education")],
    )
    async with serving(made) as client:

        def as_who(
            divisions: Sequence[str], scopes: str = "education.jobs:read"
        ) -> httpx.AsyncClient:
            client.headers.update(tokens.headers(scopes=scopes, divisions=divisions))
            return client

        yield as_who


async def test_people_follow_the_jobs_of_their_divisions_only(
    clients: Any, database: Database
) -> None:
    job_id = await queue(database, secret="for the handler")
    path = f"/v1/jobs/{job_id}"
    own = await clients(["331124"]).get(path)
    assert own.json()["state"] == "queued"
    assert "secret" not in own.text
    assert "anne" not in own.text
    for divisions in (["331121"], ["331124101"], []):
        stranger = clients(divisions)
        answer = await stranger.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "job_unknown")
        assert (await stranger.get("/v1/jobs")).json()["items"] == []
    assert (await clients(["33"]).get(path)).status_code == 200
    assert (await clients(["331124"]).get(f"/v1/jobs/{uuid4()}")).status_code == 404


async def test_the_list_pages_newest_first_and_filters(clients: Any, database: Database) -> None:
    ids = [str(await queue(database, "odd" if n % 2 else "even")) for n in range(7)]
    client = clients(["331124"])
    listed: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = (await client.get("/v1/jobs", params=query)).json()
        listed += [item["job_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert listed == ids[::-1]
    odd = (await client.get("/v1/jobs", params={"kind": "odd"})).json()["items"]
    assert [item["job_id"] for item in odd] == ids[::-1][1::2]
    failed = (await client.get("/v1/jobs", params={"state": "failed"})).json()["items"]
    assert failed == []


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/96cfd26c-e3ce-4974-a82d-776de34de849"])
async def test_following_jobs_needs_the_scope(clients: Any, path: str) -> None:
    answer = await clients(["331124"], scopes="education.parameters:read").get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_row_level_security_hides_jobs_with_the_filter_removed(
    service: ServiceDatabase, database: Database
) -> None:
    job_id = await queue(database)
    as_api = Database(service.api_url, application_name="tests")
    try:
        for divisions, visible in (((COUNTY,), True), (("331121",), False), ((), False)):
            async with as_api.transaction(divisions=divisions) as session:
                assert (await jobs.find(session, job_id) is not None) is visible
    finally:
        await as_api.close()
