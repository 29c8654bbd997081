"""Collecting a statement and confirming it, a chunk of amounts a transaction; killed anywhere, it
goes on with what is left.
"""

from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical import statements
from shared.db import EVERYWHERE
from shared.jobs import Job, JobFailedError, Step

CHUNK = 1_000


async def collect(session: AsyncSession, job: Job) -> Step:
    """Put the day's next amounts into the statement."""
    statement = await _statement(session, job)
    collected = await statements.collect(session, statement, limit=CHUNK)
    return _step(job, statement, collected, None)


async def confirm(session: AsyncSession, job: Job) -> Step:
    """Mark the statement's next amounts as paid; those that are already are passed over."""
    statement = await _statement(session, job)
    found = await statements.totals(session, statement["statement_id"], (EVERYWHERE,))
    confirmed = await statements.confirm_amounts(session, statement, limit=CHUNK)
    return _step(job, statement, confirmed, found.amounts)


def _step(job: Job, statement: RowMapping, amounts: int, total: int | None) -> Step:
    done = job.done + amounts
    return Step(
        done=done,
        total=total,
        finished=amounts < CHUNK,
        result={"statement_id": str(statement["statement_id"]), "amounts": done},
    )


async def _statement(session: AsyncSession, job: Job) -> RowMapping:
    statement_id = UUID(job.arguments["statement_id"])
    found = await statements.statement_by_id(session, statement_id, (EVERYWHERE,))
    if found is None:
        raise JobFailedError("medical_statement_unknown")
    return found
