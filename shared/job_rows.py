"""Jobs as they are stored: the row with its cursor and progress, and how a job is queued."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, identity
from shared.auth import Caller
from shared.db import platform_metadata

State = Literal["queued", "running", "succeeded", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as its row stood when the chunk began. ``cursor`` is None before the first chunk."""

    job_id: UUID
    kind: str
    division_code: str
    state: State
    arguments: dict[str, Any]
    cursor: Any = None
    done: int = 0
    total: int | None = None
    result: Any = None
    failure: str | None = None
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one chunk came to. ``cursor`` and ``result`` are JSON and hold no personal data."""

    done: int
    total: int | None
    cursor: Any = None
    finished: bool = False
    result: Any = None


JobHandler = Callable[[AsyncSession, Job], Awaitable[Step]]
"""Does the chunk after ``job.cursor`` in the session's transaction; a second or two at most."""


class JobFailedError(Exception):
    """A handler gives its job up. ``code`` is stable, shown to people, free of personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


_MOMENT = DateTime(timezone=True)
JOBS = Table(
    "jobs",
    platform_metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("division_code", Text(collation="C"), nullable=False),
    Column("state", Text, nullable=False),
    Column("cursor", JSONB(none_as_null=True)),
    Column("done", Integer, nullable=False, server_default="0"),
    Column("total", Integer),
    Column("arguments", JSONB, nullable=False),
    Column("result", JSONB(none_as_null=True)),
    Column("failure", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("started_at", _MOMENT),
    Column("finished_at", _MOMENT),
    Column("heartbeat", _MOMENT),
    CheckConstraint("state IN ('queued', 'running', 'succeeded', 'failed')", name="known_state"),
    Index(
        "ix_jobs_created_at",
        "created_at",
        postgresql_where=text("state IN ('queued', 'running')"),
    ),
)
OPEN = JOBS.c.state.in_(("queued", "running"))
"""Jobs that are not over."""


async def enqueue(
    session: AsyncSession,
    caller: Caller,
    kind: str,
    arguments: Mapping[str, Any],
    division_code: str,
) -> Job:
    """Queue a job in the caller's transaction: it starts after the commit, or never was.

    ``arguments`` are JSON, by ids and codes: whoever may see the job's division may be told them.
    """
    job = Job(
        job_id=identity.new_id(),
        kind=kind,
        division_code=division_code,
        state="queued",
        arguments=dict(arguments),
        created_by=caller.officer_id or caller.sub,
        created_at=clock.now(),
    )
    fields = ("job_id", "kind", "division_code", "state", "arguments", "created_by", "created_at")
    await session.execute(insert(JOBS).values({name: getattr(job, name) for name in fields}))
    return job


async def find(session: AsyncSession, job_id: UUID) -> Job | None:
    """The job of this id, as far as the session may see it."""
    return await one(session, read().where(JOBS.c.job_id == job_id))


def read() -> Select[Any]:
    """A query of all that a Job holds."""
    return select(*(column for column in JOBS.c if column.name != "heartbeat"))


async def one(session: AsyncSession, wanted: Select[Any]) -> Job | None:
    """The first Job that ``wanted`` finds."""
    row = (await session.execute(wanted)).mappings().first()
    return Job(**row) if row else None
