"""The job that looks at everybody of a division, a chunk a transaction."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.duplicates import actions, queries
from shared.asked import prefix_of
from shared.jobs import Job, Step

CHUNK = 500


async def find_duplicates(session: AsyncSession, job: Job) -> Step:
    """Look at the next people; the cursor is the last one looked at. May run again at any time."""
    division = prefix_of(job.arguments["division"])
    after = UUID(job.cursor["after"]) if job.cursor else None
    total = job.total if job.total is not None else await queries.count_people(session, division)
    people = await queries.people_after(session, division, after, CHUNK)
    await actions.look_at(session, people)
    last = str(people[-1]["person_id"]) if people else str(after or "")
    return Step(
        done=job.done + len(people),
        total=total,
        cursor={"after": last},
        finished=len(people) < CHUNK,
        result={"people": job.done + len(people)},
    )
