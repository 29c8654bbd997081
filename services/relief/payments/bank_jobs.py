"""Making a file for the bank, the run's payments by id, and booking a return, its rows by serial.

A registry that does not answer raises what passes by itself, so the job waits and tries again;
nothing of the chunk has been written then.
"""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.payments import bank_queries, returning, sending
from services.relief.registry_client import AskPayees
from shared.db import EVERYWHERE
from shared.jobs import Job, JobFailedError, JobHandler, Step

CHUNK = 500
_COUNTY = len("331124")
_FIRST = UUID(int=0)


def making(registry: Callable[[], AskPayees]) -> JobHandler:
    """The handler that makes files; ``registry`` is asked for when there is something to send."""

    async def make(session: AsyncSession, job: Job) -> Step:
        """Add the run's next payments; the cursor is the last one looked at. The last step seals.

        May be killed and run again anywhere, by another job too: what is in the file stays.
        """
        bank_file_id = UUID(job.arguments["bank_file_id"])
        file = await bank_queries.file_by_id(session, bank_file_id, (EVERYWHERE,))
        if file is None:
            raise JobFailedError("bank_file_unknown")
        after = UUID(job.cursor["after"]) if job.cursor else _FIRST
        chunk = await bank_queries.hold_sendable(session, file["run_id"], after=after, limit=CHUNK)
        households = {
            row["payee_household_id"] for row in chunk if row["payee_institution_id"] is None
        }
        counties = {row["division_code"][:_COUNTY] for row in chunk}
        payees = await registry().payees(households, counties) if households else {}
        await sending.add_rows(session, file, chunk, payees)
        finished = len(chunk) < CHUNK
        rows = await sending.finish_file(session, file) if finished else None
        return Step(
            done=job.done + len(chunk),
            total=None,
            cursor={"after": str(chunk[-1]["payment_id"] if chunk else after)},
            finished=finished,
            result={"bank_file_id": str(bank_file_id), "rows": rows},
        )

    return make


async def book(session: AsyncSession, job: Job) -> Step:
    """Book a return's next rows; the cursor is the last serial. Booked again, nothing moves."""
    return_id = UUID(job.arguments["return_id"])
    before = job.cursor or {"serial": 0, "moved": 0}
    rows = await bank_queries.return_rows(session, return_id, after=before["serial"], limit=CHUNK)
    moved = before["moved"] + await returning.book_rows(session, rows)
    return Step(
        done=job.done + len(rows),
        total=None,
        cursor={"serial": rows[-1]["serial"] if rows else before["serial"], "moved": moved},
        finished=len(rows) < CHUNK,
        result={"return_id": str(return_id), "moved": moved},
    )
