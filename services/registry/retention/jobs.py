"""The job that carries an approved deletion out, some households at a time.

Each chunk commits with its cursor: a worker killed at any moment goes on where it was, and a chunk
done twice deletes nothing more. Progress counts households.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.retention import actions, queries
from shared.auth import system_caller
from shared.jobs import Job, JobFailedError, Step

CHUNK = 500
"""Households at a time."""


async def delete_answers(session: AsyncSession, job: Job) -> Step:
    """One chunk of the deletion that ``job`` names."""
    system = system_caller("registry")
    deletion_id = UUID(job.arguments["deletion_id"])
    deletion = await queries.one(session, deletion_id, divisions=system.divisions)
    if deletion is None or deletion["approved_by"] is None:
        raise JobFailedError("deletion_not_approved")
    county = deletion["division_code"]
    after = UUID(job.cursor["after"]) if job.cursor else None
    total = job.total
    if total is None:
        total = await queries.count_households(session, county)
    chunk = await queries.next_households(session, county, after, limit=CHUNK)
    if not chunk:
        await actions.end_deletion(session, deletion_id)
        result = {"deleted": deletion["deleted"]}
        return Step(done=job.done, total=job.done, cursor=job.cursor, finished=True, result=result)
    await actions.delete_answers(session, deletion, chunk, by=system)
    return Step(done=job.done + len(chunk), total=total, cursor={"after": str(chunk[-1])})
