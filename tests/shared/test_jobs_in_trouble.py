"""Jobs whose worker is killed, whose chunk fails, whose server goes away."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from deploy.local.provision import ServiceDatabase
from shared import logs
from shared.db import Database
from shared.jobs import Job, JobFailedError, Runner, Step
from tests.conftest import DatabaseOf
from tests.shared.job_work import chunks_of, counting, over, queue, running, seen
from tests.support.waiting import until

HOUSE = Path(__file__).parents[2]


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


async def test_a_worker_killed_in_the_middle_of_a_chunk_is_followed_at_once(
    service: ServiceDatabase, database: Database, tmp_path: Path
) -> None:
    job_id = await queue(database)

    async def start() -> asyncio.subprocess.Process:
        arguments = ("-m", "tests.shared.jobs_worker", service.worker_url, str(tmp_path))
        return await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=HOUSE)

    async def halted() -> bool:
        return (tmp_path / "halted").exists()

    processes = [await start()]
    try:
        await until(halted, what="the worker to be in the middle of its fifth chunk")
        processes.append(await start())
        assert (await seen(database, job_id)).done == 4
        processes[0].kill()
        (job,) = await over(database, job_id)
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    assert (job.state, job.done) == ("succeeded", 12)
    async with database.transaction() as session:
        rows = await session.execute(text("SELECT name, count(*) FROM working_days GROUP BY 1"))
        done_by = {str(name): int(number) for name, number in rows}
    assert done_by == {str(processes[0].pid): 4, str(processes[1].pid): 8}


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (JobFailedError("workbook_unreadable"), "workbook_unreadable"),
        (ValueError("张三 331102199003070010"), "unexpected_error:ValueError"),
        (KeyError("张三"), "unexpected_error:KeyError"),
    ],
)
async def test_a_failing_chunk_ends_its_job_with_a_text_that_tells_no_person(
    database: Database, error: Exception, failure: str
) -> None:
    count = counting(3)

    async def failing(session: AsyncSession, job: Job) -> Step:
        step = await count(session, job)
        if step.done == 2:
            raise error
        return step

    broken, sound = await queue(database), await queue(database, "sound")
    async with running(database, {"count": failing, "sound": counting(1)}):
        job, other = await over(database, broken, sound)
    assert (job.state, job.failure, job.done) == ("failed", failure, 1)
    assert await chunks_of(database, broken) == 1
    assert other.state == "succeeded"


async def test_bad_sql_ends_the_job_with_its_state_and_without_its_values(
    database: Database,
) -> None:
    async def failing(session: AsyncSession, _job: Job) -> Step:
        await session.execute(text("INSERT INTO received VALUES ('a', NULL, 1)"))
        raise AssertionError

    job_id = await queue(database)
    async with running(database, {"count": failing}):
        (job,) = await over(database, job_id)
    assert job.failure == "database_error:23502"


async def test_a_job_that_stands_still_is_ended(database: Database) -> None:
    async def still(_session: AsyncSession, job: Job) -> Step:
        return Step(done=job.done, total=9, cursor=job.cursor)

    job_id = await queue(database)
    async with running(database, {"count": still}):
        (job,) = await over(database, job_id)
    assert (job.state, job.failure) == ("failed", "job_stands_still")


async def test_trouble_that_passes_is_waited_out(database: Database) -> None:
    """The server drops the connection in the middle of three chunks; nothing is lost or doubled."""
    count, dropped = counting(6), Counter[int]()

    async def dropping(session: AsyncSession, job: Job) -> Step:
        step = await count(session, job)
        dropped[step.done] += 1
        if step.done % 2 and dropped[step.done] == 1:
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return step

    job_id = await queue(database)
    async with running(database, {"count": dropping}):
        (job,) = await over(database, job_id)
    assert (job.state, await chunks_of(database, job_id)) == ("succeeded", 6)
    assert dropped == {1: 2, 2: 1, 3: 2, 4: 1, 5: 2, 6: 1}


async def test_a_chunk_that_always_runs_out_of_time_is_given_up(
    service: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.job_runner._MOST_TRIES", 3)
    tries = 0

    async def endless(session: AsyncSession, _job: Job) -> Step:
        nonlocal tries
        tries += 1
        await session.execute(text("SELECT pg_sleep(60)"))
        raise AssertionError

    database = Database(service.worker_url, application_name="tests", statement_timeout_ms=50)
    try:
        job_id = await queue(database)
        async with running(database, {"count": endless}):
            (job,) = await over(database, job_id)
    finally:
        await database.close()
    assert (job.state, job.failure, tries) == ("failed", "database_error:57014", 3)


async def test_a_bug_outside_the_chunks_ends_the_runner_instead_of_hiding(
    service: ServiceDatabase, database: Database
) -> None:
    owner = Database(service.owner_url, application_name="tests")
    async with owner.transaction() as session:
        await session.execute(text("ALTER TABLE jobs RENAME TO gone"))
    await owner.close()
    with pytest.raises(ExceptionGroup) as raised:
        await Runner(database, {"count": counting(1)}).run(asyncio.Event())
    assert raised.group_contains(DBAPIError)
