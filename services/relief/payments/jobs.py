"""Paying a run, its division's households by id, and confirming it, its payments by id: a chunk a
transaction, so that a killed worker's run goes on where it was (C13).
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.payments import actions, queries
from services.relief.payments.programmes import SOURCES
from services.relief.payments.rules import Programme
from shared.db import EVERYWHERE
from shared.jobs import Job, JobFailedError, Step

CHUNK = 500


async def pay(session: AsyncSession, job: Job) -> Step:
    """Pay the run's next households; the cursor is the last one looked at.

    May be killed and run again anywhere: whoever has the month already is passed over.
    """
    run = await queries.run_by_id(session, UUID(job.arguments["run_id"]), (EVERYWHERE,))
    if run is None:
        raise JobFailedError("payment_run_unknown")
    source, division = SOURCES[Programme(run["programme"])], run["division_code"]
    before = job.cursor or {"after": None, "paid": 0}
    after = UUID(before["after"]) if before["after"] else None
    total = job.total or await source.count_households(session, division)
    chunk = await source.next_households(session, division, after=after, limit=CHUNK)
    paid = before["paid"] + await actions.pay_households(session, run, chunk)
    return Step(
        done=job.done + len(chunk),
        total=total,
        cursor={"after": str(chunk[-1]) if chunk else before["after"], "paid": paid},
        finished=len(chunk) < CHUNK,
        result={"run_id": str(run["run_id"]), "paid": paid},
    )


async def confirm(session: AsyncSession, job: Job) -> Step:
    """Mark the run's next payments as paid; those that are already are passed over."""
    run = await queries.run_by_id(session, UUID(job.arguments["run_id"]), (EVERYWHERE,))
    if run is None:
        raise JobFailedError("payment_run_unknown")
    totals = await queries.run_totals(session, run["run_id"], (EVERYWHERE,))
    confirmed = await actions.confirm_payments(session, run, limit=CHUNK)
    return Step(
        done=job.done + confirmed,
        total=totals.payments,
        finished=confirmed < CHUNK,
        result={"run_id": str(run["run_id"]), "confirmed": job.done + confirmed},
    )
