"""A worker process of its own for tests/shared/test_jobs_in_trouble.py, which kills it.

Arguments: the database's address, then a folder where it leaves a mark a chunk.
"""

import asyncio
import os
import sys
from datetime import date
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import logs
from shared.db import Database
from shared.jobs import Job, Runner, Step

CHUNKS = 12
MARKS = Path(sys.argv[2])
HALT_AT = 5


async def count(session: AsyncSession, job: Job) -> Step:
    """One chunk: a row, then a mark outside the database, then a halt where it can be killed."""
    number = (job.cursor or 0) + 1
    await session.execute(
        text("INSERT INTO working_days VALUES (:day, true, :pid, 'test')"),
        {"day": date(2030, 1, number), "pid": str(os.getpid())},
    )
    if number == HALT_AT and not (MARKS / "halted").exists():
        (MARKS / "halted").touch()
        await asyncio.Event().wait()  # in the middle of the fifth chunk's transaction
    return Step(done=number, total=CHUNKS, cursor=number, finished=number == CHUNKS)


async def main() -> None:
    """Run jobs until killed."""
    logs.configure("education")
    database = Database(sys.argv[1], application_name="jobs-worker")
    stop = asyncio.Event()
    await Runner(database, {"count": count}, poll_seconds=0.05).run(stop)


if __name__ == "__main__":
    asyncio.run(main())
