"""After a figure, an assessment or a form of support: grants settled, a chunk a transaction."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.tekun import actions, queries
from shared.jobs import Job, Step

CHUNK = 500


async def recalculate(session: AsyncSession, job: Job) -> Step:
    """Settle the next households of the job's division, by id; the cursor is the last of them.

    May be killed and run again anywhere: settling what is settled writes nothing.
    """
    division = job.arguments["division"]
    before = job.cursor or {"after": None, "changed": 0}
    after = UUID(before["after"]) if before["after"] else None
    total = job.total or await queries.count_households_with_grants(session, division)
    chunk = await queries.households_with_grants(session, division, after=after, limit=CHUNK)
    changed = before["changed"] + await actions.settle_grants(session, chunk)
    return Step(
        done=job.done + len(chunk),
        total=total,
        cursor={"after": str(chunk[-1]) if chunk else before["after"], "changed": changed},
        finished=len(chunk) < CHUNK,
        result={"changed": changed},
    )


async def settle(session: AsyncSession, job: Job) -> Step:
    """Settle the job's one household."""
    changed = await actions.settle_household(session, UUID(job.arguments["household_id"]))
    return Step(done=1, total=1, finished=True, result={"changed": changed})
