"""The job that imports a roster: first it is read whole in a child, then done chunk by chunk.

Each chunk commits with its cursor, so that a worker killed at any moment leaves nothing half done
and nothing to be done twice. Progress counts households.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.rosters import actions, child, importing, queries, reading
from services.registry.rosters.archive import UnusableWorkbookError
from services.registry.rosters.matching import Address
from services.registry.rosters.queries import Upload
from shared import divisions
from shared.auth import system_caller
from shared.jobs import Job, JobFailedError, Step

EVERYWHERE = system_caller("registry").divisions


async def import_roster(session: AsyncSession, job: Job) -> Step:
    """One chunk of the roster that ``job`` names."""
    roster_id = UUID(job.arguments["roster_id"])
    upload = await queries.load(session, roster_id, divisions=EVERYWHERE)
    if upload is None:
        raise JobFailedError("roster_gone")
    if job.cursor is None:
        return await _read(session, upload)
    return await _carry_out(session, upload, job)


async def _read(session: AsyncSession, upload: Upload) -> Step:
    """Every household judged by itself and against the others; the registry is asked later."""
    content = await queries.file_of(session, upload.roster_id)
    names = await divisions.directory(session, upload.county_code)
    await queries.wait_for_child(session)
    try:
        read = await child.run(
            reading.judge,
            content,
            names,
            upload.county_code,
            upload.caller.divisions,
            upload.decided_on,
        )
    except UnusableWorkbookError as unusable:
        raise JobFailedError(unusable.code) from unusable
    await actions.stage(session, upload, read.households)
    cursor = {"after": -1, "letters": dict(read.letters)}
    return Step(done=0, total=len(read.households), cursor=cursor)


async def _carry_out(session: AsyncSession, upload: Upload, job: Job) -> Step:
    cursor: dict[str, Any] = job.cursor
    last, count = await importing.carry_out(
        session, upload, Address(cursor["letters"]), after=cursor["after"]
    )
    if count:
        return Step(done=job.done + count, total=job.total, cursor={**cursor, "after": last})
    await actions.list_absent(session, upload)
    figures = await queries.figures(session, upload.roster_id, divisions=EVERYWHERE)
    return Step(
        done=job.done,
        total=job.total,
        cursor=cursor,
        finished=True,
        result=figures.model_dump(mode="json"),
    )
