"""Deciding on a file's or a division's bills, a chunk of people a transaction; killed anywhere, it
goes on where it was, and what is decided again unchanged is not written.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical import actions, queries
from services.relief.medical.lines import earliest
from services.relief.medical.queries import Year
from shared import clock
from shared.jobs import Job, Step

CHUNK = 200


async def settle_file(session: AsyncSession, job: Job) -> Step:
    """Decide on the bills of the file's next people; the cursor is the last of them."""
    file_id = UUID(job.arguments["file_id"])
    total = job.total
    if total is None:
        total = await queries.count_people_of_file(session, file_id)
    years = await queries.years_of_file(session, file_id, after=_after(job), limit=CHUNK)
    return await _chunk(session, job, years, total)


async def decide_again(session: AsyncSession, job: Job) -> Step:
    """Decide on the bills of the division's next people of last year and this one anew."""
    years = await queries.years_of_division(
        session,
        job.arguments["division"],
        earliest(clock.today()),
        after=_after(job),
        limit=CHUNK,
    )
    return await _chunk(session, job, years, None)


def _after(job: Job) -> UUID | None:
    return UUID(job.cursor["after"]) if job.cursor and job.cursor["after"] else None


async def _chunk(session: AsyncSession, job: Job, years: list[Year], total: int | None) -> Step:
    before = job.cursor or {"after": None, "decided": 0}
    decided = before["decided"] + await actions.settle_years(session, years)
    people = {year.person_id for year in years}
    return Step(
        done=job.done + len(people),
        total=total,
        cursor={"after": str(max(people)) if people else before["after"], "decided": decided},
        finished=len(people) < CHUNK,
        result={"decided": decided},
    )
