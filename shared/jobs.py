"""Long work in chunks that survives a kill: imports, a month's payment run.

A job's cursor and progress live in its row, and each chunk commits together with the cursor after
it, so a chunk is done once or not at all. Our own, for that row must exist anyway and dispatch is
one query over it and an advisory lock: a queue library would add a second table to keep in step.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from shared import api
from shared.auth import Caller, requires
from shared.db import SessionDep, in_divisions
from shared.errors import NotFound
from shared.job_rows import (
    JOBS,
    Job,
    JobFailedError,
    JobHandler,
    State,
    Step,
    enqueue,
    find,
    one,
    read,
)
from shared.job_runner import Runner

__all__ = [
    "Job",
    "JobFailedError",
    "JobHandler",
    "JobView",
    "Runner",
    "State",
    "Step",
    "enqueue",
    "find",
    "router",
]


class JobView(BaseModel):
    """A job as people follow it. ``failure`` is a stable code; ``result`` goes with its kind."""

    model_config = ConfigDict(from_attributes=True)

    job_id: UUID
    kind: str
    division_code: str
    state: State
    done: int
    total: int | None
    result: Any
    failure: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def router(service: str) -> APIRouter:
    """``GET /v1/jobs`` and ``GET /v1/jobs/{job_id}``: how far the caller's divisions' jobs are."""
    routes = api.router("/v1/jobs", tags=["jobs"])
    Reader = Annotated[Caller, requires(f"{service}.jobs:read")]  # noqa: N806 (a type)

    @routes.get("", summary="Jobs, newest first")
    async def list_jobs(
        session: SessionDep,
        caller: Reader,
        *,
        kind: Annotated[str | None, Query(max_length=100)] = None,
        state: State | None = None,
        cursor: Annotated[str | None, Query(max_length=500)] = None,
        limit: api.Limit = 50,
    ) -> api.Page[JobView]:
        wanted = read().where(in_divisions(JOBS.c.division_code, caller.divisions))
        if kind is not None:
            wanted = wanted.where(JOBS.c.kind == kind)
        if state is not None:
            wanted = wanted.where(JOBS.c.state == state)
        return await _page(session, wanted, cursor, limit)

    @routes.get("/{job_id}", summary="One job's progress")
    async def one_job(session: SessionDep, caller: Reader, job_id: UUID) -> JobView:
        wanted = read().where(
            JOBS.c.job_id == job_id, in_divisions(JOBS.c.division_code, caller.divisions)
        )
        job = await one(session, wanted)
        if job is None:
            raise NotFound("job_unknown", f"no job {job_id} in the divisions of this token")
        return JobView.model_validate(job)

    return routes


async def _page(
    session: AsyncSession, wanted: Select[Any], cursor: str | None, limit: int
) -> api.Page[JobView]:
    order = tuple_(JOBS.c.created_at, JOBS.c.job_id)
    if cursor:
        wanted = wanted.where(order < api.decode_cursor(cursor, datetime, UUID))
    newest_first = wanted.order_by(JOBS.c.created_at.desc(), JOBS.c.job_id.desc())
    rows = await session.execute(newest_first.limit(limit + 1))
    found = [JobView.model_validate(dict(row)) for row in rows.mappings()]
    more = None
    if len(found) > limit:
        more = api.encode_cursor([found[limit - 1].created_at, found[limit - 1].job_id])
    return api.Page(items=found[:limit], next_cursor=more)
