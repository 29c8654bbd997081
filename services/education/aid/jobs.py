"""A term's run, granted and later marked paid: a chunk a transaction, so that a killed worker's
run goes on where it was (C36).
"""

from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.aid import actions, queries
from shared.db import EVERYWHERE
from shared.jobs import Job, JobFailedError, Step

CHUNK = 500


async def grant(session: AsyncSession, job: Job) -> Step:
    """Grant the run's next pupils, by person id; the cursor is the last one looked at.

    May be killed and run again anywhere: whoever has the term's aid already is passed over.
    """
    run = await _run(session, job)
    division = run["division_code"]
    before = job.cursor or {"after": None, "aided": 0}
    after = UUID(before["after"]) if before["after"] else None
    total = job.total or await queries.count_pupils(session, division)
    pupils = await queries.pupils_in(session, division, after=after, limit=CHUNK)
    aided = before["aided"] + await actions.grant_aid(session, run, pupils)
    last = str(pupils[-1]) if pupils else before["after"]
    return Step(
        done=job.done + len(pupils),
        total=total,
        cursor={"after": last, "aided": aided},
        finished=len(pupils) < CHUNK,
        result={"run_id": str(run["run_id"]), "aided": aided},
    )


async def pay(session: AsyncSession, job: Job) -> Step:
    """Mark the run's next approved aid as paid; what is left says how far it is, so no cursor."""
    run = await _run(session, job)
    total = job.total
    if total is None:
        totals = await queries.run_totals(session, run["run_id"], (EVERYWHERE,))
        total = totals.aided - totals.paid
    paid = await actions.mark_paid(session, run, limit=CHUNK)
    return Step(
        done=job.done + paid,
        total=total,
        finished=paid < CHUNK,
        result={"run_id": str(run["run_id"]), "paid": job.done + paid},
    )


async def _run(session: AsyncSession, job: Job) -> RowMapping:
    run = await queries.run_by_id(session, UUID(job.arguments["run_id"]), (EVERYWHERE,))
    if run is None:
        raise JobFailedError("aid_run_unknown")
    return run
