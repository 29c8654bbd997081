"""Subsidising a run's people, its households by id, and confirming it: a chunk a transaction, so
that a killed worker's run goes on where it was (C14).
"""

from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.premiums import actions, queries
from shared.db import EVERYWHERE
from shared.jobs import Job, JobFailedError, Step

CHUNK = 500


async def subsidise(session: AsyncSession, job: Job) -> Step:
    """Subsidise the people of the run's next households; the cursor is the last one looked at.

    May be killed and run again anywhere: whoever has the year already is passed over.
    """
    run = await _run(session, job)
    division = run["division_code"]
    before = job.cursor or {"after": None, "people": 0}
    after = UUID(before["after"]) if before["after"] else None
    total = job.total
    if total is None:
        total = await queries.count_households(session, division)
    chunk = await queries.households_of(session, division, after=after, limit=CHUNK)
    people = before["people"] + await actions.subsidise(session, run, chunk)
    last = str(chunk[-1].household_id) if chunk else before["after"]
    return Step(
        done=job.done + len(chunk),
        total=total,
        cursor={"after": last, "people": people},
        finished=len(chunk) < CHUNK,
        result={"run_id": str(run["run_id"]), "people": people},
    )


async def confirm(session: AsyncSession, job: Job) -> Step:
    """Mark the run's next subsidies as paid; those that are already are passed over."""
    run = await _run(session, job)
    total = job.total
    if total is None:
        total = (await queries.run_totals(session, run["run_id"], (EVERYWHERE,))).people
    confirmed = await actions.confirm_subsidies(session, run, limit=CHUNK * 2)
    return Step(
        done=job.done + confirmed,
        total=total,
        finished=confirmed < CHUNK * 2,
        result={"run_id": str(run["run_id"]), "confirmed": job.done + confirmed},
    )


async def _run(session: AsyncSession, job: Job) -> RowMapping:
    run = await queries.run_by_id(session, UUID(job.arguments["run_id"]), (EVERYWHERE,))
    if run is None:
        raise JobFailedError("premium_run_unknown")
    return run
