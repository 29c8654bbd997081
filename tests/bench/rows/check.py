"""``check``: the monthly light check of 260,000 people, from its order to its last question.

The registry's own job runner works the job off, chunk by chunk, each chunk with its cursor in one
transaction: a verification for every household on assistance whose people have signed, a question
for every person and source. The baseline is one SQL statement over the same rows in one
transaction, which makes the same verifications and questions and cannot be resumed.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.local.provision import ServiceDatabase
from services.registry.verification.sources import LIGHT, Kind
from services.registry.verification.sweeping import JOB, make_questions
from shared import clock, jobs
from shared.auth import system_caller
from shared.db import EVERYWHERE, Database
from shared.job_runner import Runner
from tests.bench import county
from tests.bench.machine import Bench
from tests.bench.row import Goal, Row, Run, Sides, rate
from tests.registry.known import know_rules
from tests.support.waiting import until

HOUSEHOLDS = 120_000


@asynccontextmanager
async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    async with bench.database("registry") as filled:
        await county.fill(filled, int(HOUSEHOLDS * scale))
        people = await _sign(bench, filled)

        async def ours() -> Run:
            async with bench.copied("registry", filled) as place:
                seconds = await _checked(place)
                await _compare(place, people)
            return rate(people, seconds)

        async def baseline() -> Run:
            async with bench.copied("registry", filled) as place:
                connection = await asyncpg.connect(place.worker_url)
                started = time.perf_counter()
                await connection.execute(_AT_ONCE, clock.month_of(clock.today()))
                seconds = time.perf_counter() - started
                await connection.close()
                await _compare(place, people)
            return rate(people, seconds)

        yield Sides(ours=ours, baseline=baseline)


async def _sign(bench: Bench, filled: ServiceDatabase) -> int:
    """Parameters in force, and an authorisation of everybody for the light check's sources."""
    api, worker = (
        Database(url, application_name="bench") for url in (filled.api_url, filled.worker_url)
    )
    await know_rules(api, worker)
    await api.close()
    await worker.close()
    admin = await asyncpg.connect(bench.address_of(filled.owner_url.rsplit("/", 1)[1]))
    signed = await admin.execute(_AUTHORIZATIONS, [source.value for source in LIGHT])
    await admin.execute("VACUUM ANALYZE")
    await admin.close()
    return int(signed.split()[-1])


async def _checked(place: ServiceDatabase) -> float:
    """Seconds from the job's order to its end."""
    database = Database(place.worker_url, application_name="bench")
    month = clock.month_of(clock.today()).isoformat()
    arguments = {"kind": Kind.LIGHT.value, "period": month}
    async with database.transaction() as session:
        await jobs.enqueue(session, system_caller("registry"), JOB, arguments, EVERYWHERE)
    stop = asyncio.Event()
    runner = Runner(database, {JOB: make_questions}, slots=1)
    connection = await asyncpg.connect(place.worker_url)
    started = time.perf_counter()
    running = asyncio.ensure_future(runner.run(stop))
    try:
        await until(
            lambda: connection.fetchval("SELECT bool_and(state = 'succeeded') FROM jobs"),
            what="the light check",
            seconds=900,
            every=0.05,
        )
        return time.perf_counter() - started
    finally:
        stop.set()
        await running
        await connection.close()
        await database.close()


async def _compare(place: ServiceDatabase, people: int) -> None:
    connection = await asyncpg.connect(place.worker_url)
    made = await connection.fetchval("SELECT count(*) FROM verification_items")
    await connection.close()
    if made != people * len(LIGHT):
        raise RuntimeError(f"{made} questions were made, not {people * len(LIGHT)}")


_AUTHORIZATIONS = """
    INSERT INTO authorizations (authorization_id, household_id, division_code, subject_kind,
        subject_id, version, sources, purpose, signed_on, valid_from, valid_to, document,
        revoked_reason, recorded_by, recorded_at)
    SELECT uuidv7(), household_id, division_code, 'member', person_id, 1,
        CAST($1 AS text[]), 'bench', '2026-01-05', '2026-01-05', '2036-01-05', 'bench',
        '', 'bench', now()
    FROM members WHERE left_on IS NULL
"""
_AT_ONCE = """
    WITH made AS (
        INSERT INTO verifications (verification_id, household_id, division_code, kind, period,
            aid_type, purpose, window_from, window_to, revision, requested_on, requested_at,
            requested_by)
        SELECT uuidv7(), household_id, division_code, 'light', CAST($1 AS date),
            category, 'bench',
            CAST($1 AS date) - interval '12 months', CAST($1 AS date) - interval '1 month',
            revision, current_date, now(), 'bench'
        FROM households WHERE state IN ('identified', 'returned')
        RETURNING verification_id, household_id, division_code)
    INSERT INTO verification_items (household_id, verification_id, subject_id, source,
        division_code, subject_kind, authorization_id, state, attempts, due_at)
    SELECT made.household_id, verification_id, subject_id, source, made.division_code, 'member',
        authorization_id, 'waiting', 0, now()
    FROM made JOIN authorizations USING (household_id), unnest(sources) AS source
"""

ROWS = (
    Row(
        name="check",
        unit="people/s",
        goal=Goal(at_least=0.1, aim=0.3),
        open=_open,
    ),
)
