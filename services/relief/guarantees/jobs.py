"""A division's guarantees stated again, a chunk a transaction, after a line or a month turned."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao.queries import lines_over_time
from services.relief.guarantees import actions, queries
from services.relief.schedules.actions import hold_copies
from services.relief.tekun.actions import settle_grants
from services.relief.tekun.rules import ever_tekun
from shared.jobs import Job, Step

CHUNK = 500


async def state_guarantees(session: AsyncSession, job: Job) -> Step:
    """State the next households of the job's division, by id; the cursor is the last of them.

    May be killed and run again anywhere: what is stated again unchanged is no news.
    """
    division = job.arguments["division"]
    before = job.cursor or {"after": None, "changed": 0}
    after = UUID(before["after"]) if before["after"] else None
    total = job.total or await queries.count_households_of(session, division)
    chunk = await queries.households_of(session, division, after=after, limit=CHUNK)
    await hold_copies(session, chunk)
    copies = await queries.copies(session, chunk)
    # Living asks whether a tekun standard is reckoned: its own recalculation may still wait.
    await settle_grants(session, [each.household_id for each in copies if ever_tekun(each.periods)])
    lines = await lines_over_time(session, {copy.division_code for copy in copies})
    changed = before["changed"] + await actions.state_guarantees(session, copies, lines)
    return Step(
        done=job.done + len(chunk),
        total=total,
        cursor={"after": str(chunk[-1]) if chunk else before["after"], "changed": changed},
        finished=len(chunk) < CHUNK,
        result={"changed": changed},
    )
