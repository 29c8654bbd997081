"""A service's worker process: relay, topics, consumer, jobs, days, housekeeping, health server.

Any part that ends unexpectedly ends the process with an error, and the supervisor starts a fresh
one: a worker that runs has all its parts. SIGTERM and SIGINT let what is under way finish.
"""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import NoReturn

import uvicorn
import uvloop
from fastapi import FastAPI, Request
from sqlalchemy import text
from starlette.responses import JSONResponse

from shared import clock, crypto, health, idempotency, jobs, logs, telemetry
from shared.applying import Subscription
from shared.consumer import Consumer
from shared.daily import Days, Turn
from shared.db import Database
from shared.errors import Problem
from shared.jobs import JobHandler
from shared.relay import Relay
from shared.settings import MissingSettingsError, Settings
from shared.trouble import passes
from shared.waiting import pause
from shared.written_topics import WrittenTopics

UPKEEP_EVERY = timedelta(hours=6).total_seconds()
UPKEEP_RETRY = 10.0
MONTHS_AHEAD = 3
GRACE = 25.0
"""Seconds from SIGTERM until what has not finished is cancelled."""

_log = logs.get("worker")
Part = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set; one that ends before ends the worker."""
OwnParts = Callable[[Database], Mapping[str, Part]]
"""A service's own parts, by name, given the worker's database."""


def run(
    settings: Settings,
    subscriptions: Sequence[Subscription] = (),
    job_kinds: Mapping[str, JobHandler] | None = None,
    turns: Sequence[Turn] = (),
    own_parts: OwnParts | None = None,
) -> NoReturn:
    """Run the worker until SIGTERM (exit code 0) or until a part fails (exit code 1).

    ``own_parts`` are what this service alone does beside, each until its stop is set.
    """
    try:
        settings.need("worker_database_url", "kafka_bootstrap_servers")
    except MissingSettingsError as missing:
        sys.exit(str(missing))
    logs.configure(settings.service, settings.log_level)
    crypto.configure(settings.key_file, settings.field_cipher)
    clock.configure(settings.clock_file, settings.env)
    _spare_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(
            runner.run(_until_signal(settings, subscriptions, job_kinds or {}, turns, own_parts))
        )


def _spare_collector() -> None:
    """Batches are thousands of small objects that die together: a third less CPU a message."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


async def _until_signal(
    settings: Settings,
    subscriptions: Sequence[Subscription],
    job_kinds: Mapping[str, JobHandler],
    turns: Sequence[Turn],
    own_parts: OwnParts | None,
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await serve(settings, subscriptions, job_kinds, stop, turns, own_parts=own_parts)


async def serve(
    settings: Settings,
    subscriptions: Sequence[Subscription],
    job_kinds: Mapping[str, JobHandler],
    stop: asyncio.Event,
    turns: Sequence[Turn] = (),
    *,
    own_parts: OwnParts | None = None,
) -> int:
    """Run every part until ``stop`` is set; gives the process's exit code."""
    async with AsyncExitStack() as held:
        tracing = telemetry.configure(settings.service)
        if tracing is not None:
            held.push_async_callback(asyncio.to_thread, tracing.shutdown)
        database = Database(
            settings.worker_database_url,
            application_name=f"{settings.service}-worker",
            pool_size=settings.database_pool_size,
            statement_timeout_ms=settings.statement_timeout_ms,
            lock_timeout_ms=settings.lock_timeout_ms,
        )
        held.push_async_callback(database.close)
        parts = _parts(settings, database, subscriptions, job_kinds, turns)
        if own_parts is not None:
            parts |= own_parts(database)
        return await _together(parts, stop)


def _parts(
    settings: Settings,
    database: Database,
    subscriptions: Sequence[Subscription],
    job_kinds: Mapping[str, JobHandler],
    turns: Sequence[Turn],
) -> dict[str, Part]:
    relay = Relay(
        service=settings.service,
        database_url=settings.worker_database_url,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        topic_prefix=settings.topic_prefix,
    )
    consumer = Consumer(
        service=settings.service,
        database=database,
        subscriptions=subscriptions,
        bootstrap_servers=settings.kafka_bootstrap_servers,
        topic_prefix=settings.topic_prefix,
        member=f"{socket.gethostname()}-{settings.worker_port}",
    )
    parts: dict[str, Part] = {
        "health": lambda stop: _serve_health(settings, database, stop),
        "relay": relay.run,
        "topics": WrittenTopics(
            service=settings.service,
            database=database,
            bootstrap_servers=settings.kafka_bootstrap_servers,
            topic_prefix=settings.topic_prefix,
        ).run,
        "consumer": consumer.run,
        "jobs": jobs.Runner(database, job_kinds).run,
        "days": Days(database, turns).run,
        "upkeep": lambda stop: _upkeep(database, stop),
    }
    return parts


async def _together(parts: Mapping[str, Part], stop: asyncio.Event) -> int:
    """Run all parts; the first that ends without having been told to stops the others."""
    tasks = {asyncio.ensure_future(part(stop)): name for name, part in parts.items()}
    stopping = asyncio.ensure_future(stop.wait())
    _log.info("worker.started", parts=list(parts))
    await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    told = stop.is_set()
    stop.set()
    _, late = await asyncio.wait(tasks, timeout=GRACE)
    for task in late:
        _log.warning("worker.cancelled", part=tasks[task])
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=5)
    failed = False
    for task, name in tasks.items():
        error = None if task in late or not task.done() else _ended_by(task)
        if error is not None:
            failed = True
            _log.error("worker.part_failed", part=name, exc_info=error)
    _log.info("worker.stopped", clean=told and not failed)
    return 0 if told and not failed else 1


def _ended_by(task: asyncio.Future[None]) -> BaseException | None:
    """What a part that was not cancelled by us ended with: also a cancellation from within it."""
    if task.cancelled():
        return RuntimeError("something that it waited for was cancelled")
    return task.exception()


async def _upkeep(database: Database, stop: asyncio.Event) -> None:
    """Months ahead for the history, and no answers older than their seven days."""
    while not stop.is_set():
        wait = UPKEEP_EVERY
        try:
            async with database.transaction() as session:
                await session.execute(_ENSURE_PARTITIONS, {"months": MONTHS_AHEAD})
            async with database.transaction() as session:
                await idempotency.forget_expired(session)
        except Exception as error:
            if not passes(error):
                raise
            _log.warning("upkeep.put_off", error=type(error).__name__)
            wait = UPKEEP_RETRY
        await pause(stop, wait)


async def _serve_health(settings: Settings, database: Database, stop: asyncio.Event) -> None:
    server = _Server(
        uvicorn.Config(
            _health_app(settings, database),
            host=settings.host,
            port=settings.worker_port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    serving = asyncio.ensure_future(server.serve())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving
    if not stop.is_set():
        raise RuntimeError(f"the health server on port {settings.worker_port} has ended")


def _health_app(settings: Settings, database: Database) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.state.platform = _Held(database)
    app.include_router(health.router(settings.service))
    app.add_exception_handler(Problem, _problem)
    return app


class _Held:
    """What the health routes look for on ``app.state.platform``."""

    def __init__(self, database: Database) -> None:
        self.database = database


async def _problem(_request: Request, problem: Exception) -> JSONResponse:
    if not isinstance(problem, Problem):
        raise problem
    return JSONResponse(
        problem.body(logs.correlation_id()),
        status_code=problem.status_code,
        media_type="application/problem+json",
    )


class _Server(uvicorn.Server):
    """Leaves signals to the worker, which stops all its parts in step."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


_ENSURE_PARTITIONS = text(
    "SELECT ensure_event_partitions(CAST(date_trunc('month', now()) AS date), :months)"
)
