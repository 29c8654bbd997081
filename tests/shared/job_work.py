"""What the tests of jobs share: jobs that count, and runners that work them off."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import jobs
from shared.auth import Caller
from shared.db import Database
from shared.jobs import Job, JobHandler, Runner, Step
from tests.support.waiting import until

COUNTY = "331124"
CALLER = Caller(sub="sub-anne", officer_id="anne", divisions=(COUNTY,))


async def queue(database: Database, kind: str = "count", **arguments: Any) -> UUID:
    """A queued job of the county."""
    async with database.transaction() as session:
        return (await jobs.enqueue(session, CALLER, kind, arguments, COUNTY)).job_id


async def seen(database: Database, job_id: UUID) -> Job:
    """The job as anyone else sees it now."""
    async with database.transaction() as session:
        found = await jobs.find(session, job_id)
    assert found is not None
    return found


async def over(database: Database, *job_ids: UUID) -> list[Job]:
    """Wait until the jobs are over."""

    async def all_over() -> list[Job] | None:
        found = [await seen(database, job_id) for job_id in job_ids]
        return found if all(job.finished_at for job in found) else None

    found = await until(all_over, what="the jobs to be over")
    assert found
    return found


@asynccontextmanager
async def running(
    database: Database, handlers: Mapping[str, JobHandler], *, runners: int = 1, slots: int = 2
) -> AsyncIterator[None]:
    """Runners at work, told to stop at the end; what broke one comes out here."""
    stop = asyncio.Event()
    work = [
        asyncio.create_task(Runner(database, handlers, slots=slots, poll_seconds=0.02).run(stop))
        for _ in range(runners)
    ]
    try:
        yield
    finally:
        stop.set()
        _, late = await asyncio.wait(work, timeout=20)
        for task in late:
            task.cancel()
    await asyncio.gather(*work)


def counting(chunks: int, *, done_in: list[tuple[UUID, int]] | None = None) -> JobHandler:
    """A job of ``chunks`` chunks, each of which writes down that it was done, in the database."""

    async def count(session: AsyncSession, job: Job) -> Step:
        number = (job.cursor or {"at": 0})["at"] + 1
        await session.execute(
            text("INSERT INTO received VALUES (:job, :number, 1)"),
            {"job": str(job.job_id), "number": str(number)},
        )
        if done_in is not None:
            done_in.append((job.job_id, number))
        return Step(
            done=number,
            total=chunks,
            cursor={"at": number},
            finished=number == chunks,
            result={"chunks": chunks} if number == chunks else None,
        )

    return count


async def chunks_of(database: Database, job_id: UUID) -> int:
    """How many chunks of a counting job are in the database; a chunk done twice cannot be."""
    async with database.transaction() as session:
        found = await session.scalar(
            text("SELECT count(*) FROM received WHERE source = :job"), {"job": str(job_id)}
        )
    return int(found or 0)
