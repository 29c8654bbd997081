"""Works the open jobs of a service off, chunk by chunk; made to be killed at any moment."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock, logs, trouble
from shared.db import Database
from shared.job_rows import JOBS, OPEN, JobFailedError, JobHandler, Step, one, read
from shared.waiting import pause

_log = logs.get(__name__)
_LONGEST_PAUSE = 30.0
_MOST_TRIES = 10
# The server is well and says no: deadlock, serialization, statement and lock timeout.
_ANSWERED = frozenset({"40001", "40P01", "57014", "55P03"})
_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
# So that the server notices within half a minute when the whole machine of a worker is gone.
_KEEPALIVE = text(
    "SELECT set_config('tcp_keepalives_idle', '10', false),"
    " set_config('tcp_keepalives_interval', '5', false),"
    " set_config('tcp_keepalives_count', '3', false)"
)
_CANDIDATES = (
    select(JOBS.c.job_id)
    .where(OPEN, JOBS.c.kind == func.any(bindparam("kinds", type_=ARRAY(Text))))
    .order_by(JOBS.c.created_at, JOBS.c.job_id)
    .limit(100)
)


class Runner:
    """Runs the open jobs of a service, up to ``slots`` at once.

    Whoever works on a job holds a session advisory lock, which goes with the connection, so that
    the job of a killed worker is taken up by the next poll of any other. Two at one job would
    still do each chunk once: a chunk begins by locking the row and reading its cursor.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, JobHandler],
        *,
        slots: int = 2,
        poll_seconds: float = 0.5,
    ) -> None:
        self._database = database
        self._handlers = dict(handlers)
        self._slots = slots
        self._poll_seconds = poll_seconds
        self._failed_tries: dict[UUID, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; the chunk in hand is finished, its job left to the next."""
        if not self._handlers:
            await stop.wait()
            return
        async with asyncio.TaskGroup() as slots:
            for _ in range(self._slots):
                slots.create_task(self._slot(stop))

    async def _slot(self, stop: asyncio.Event) -> None:
        failures = 0
        while not stop.is_set():
            try:
                worked = await self._work(stop)
            except Exception as error:
                if not trouble.passes(error):
                    raise
                failures += 1
                _log.warning("jobs.waiting", reason=type(error).__name__, failures=failures)
                await pause(stop, min(_LONGEST_PAUSE, 0.1 * 2**failures))
            else:
                failures = 0
                await pause(stop, 0 if worked else self._poll_seconds)

    async def _work(self, stop: asyncio.Event) -> bool:
        """Take one job and bring it as far as it goes. False when there was none to take."""
        async with self._taken() as job_id:
            if job_id is None:
                return False
            with logs.context(correlation_id=str(job_id)):
                await self._drive(job_id, stop)
            return True

    @asynccontextmanager
    async def _taken(self) -> AsyncIterator[UUID | None]:
        async with self._database.engine.connect() as opened:
            connection = await opened.execution_options(isolation_level="AUTOCOMMIT")
            try:
                job_id = await self._take(connection)
                yield job_id
                if job_id is not None:
                    await connection.execute(_UNLOCK, {"name": _lock_name(job_id)})
            except BaseException:
                # Closed, not put back: a pooled connection would keep the job locked.
                await connection.invalidate()
                raise

    async def _take(self, connection: AsyncConnection) -> UUID | None:
        await connection.execute(_KEEPALIVE)
        rows = await connection.execute(_CANDIDATES, {"kinds": list(self._handlers)})
        candidates: Sequence[UUID] = rows.scalars().all()
        for job_id in candidates:
            if await connection.scalar(_TRY_LOCK, {"name": _lock_name(job_id)}):
                return job_id
        return None

    async def _drive(self, job_id: UUID, stop: asyncio.Event) -> None:
        await self._start(job_id)
        more = True
        while more and not stop.is_set():
            try:
                more = await self._chunk(job_id)
            except Exception as error:
                if self._worth_another_try(job_id, error):
                    raise
                await self._fail(job_id, error)
                return
            self._failed_tries.pop(job_id, None)

    async def _start(self, job_id: UUID) -> None:
        async with self._database.transaction() as session:
            await session.execute(
                update(JOBS)
                .where(JOBS.c.job_id == job_id, JOBS.c.state == "queued")
                .values(state="running", started_at=clock.now(), heartbeat=clock.now())
            )

    async def _chunk(self, job_id: UUID) -> bool:
        """One chunk and the cursor after it in one transaction. False when the job is over."""
        async with self._database.transaction() as session:
            wanted = read().where(JOBS.c.job_id == job_id, OPEN).with_for_update()
            job = await one(session, wanted)
            if job is None:
                return False
            step = await self._handlers[job.kind](session, job)
            if not step.finished and (step.cursor, step.done) == (job.cursor, job.done):
                raise JobFailedError("job_stands_still")
            await session.execute(_after(job_id, step))
            return not step.finished

    def _worth_another_try(self, job_id: UUID, error: Exception) -> bool:
        """Whether the trouble passes by itself: without a server always, else a few times."""
        if not trouble.passes(error):
            return False
        if isinstance(error, DBAPIError) and trouble.sqlstate(error) in _ANSWERED:
            tries = self._failed_tries[job_id] = self._failed_tries.get(job_id, 0) + 1
            return tries < _MOST_TRIES
        return True

    async def _fail(self, job_id: UUID, error: Exception) -> None:
        self._failed_tries.pop(job_id, None)
        code = _failure(error)
        _log.error("job.failed", job_id=str(job_id), failure=code, exc_info=error)
        async with self._database.transaction() as session:
            await session.execute(
                update(JOBS)
                .where(JOBS.c.job_id == job_id, OPEN)
                .values(state="failed", failure=code, finished_at=clock.now())
            )


def _lock_name(job_id: UUID) -> str:
    return f"bangfu.job:{job_id}"


def _after(job_id: UUID, step: Step) -> Any:
    values: dict[str, Any] = {
        "cursor": step.cursor,
        "done": step.done,
        "total": step.total,
        "heartbeat": clock.now(),
    }
    if step.finished:
        values |= {"state": "succeeded", "result": step.result, "finished_at": clock.now()}
    return update(JOBS).where(JOBS.c.job_id == job_id).values(values)


def _failure(error: Exception) -> str:
    """A stable text without any value: the handler's own code, or the kind of the error."""
    if isinstance(error, JobFailedError):
        return error.code
    if isinstance(error, DBAPIError):
        return f"database_error:{trouble.sqlstate(error) or type(error).__name__}"
    return f"unexpected_error:{type(error).__name__}"
