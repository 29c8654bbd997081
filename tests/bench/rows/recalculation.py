"""``recalculation``: the dibao line rises, 45,000 grants are reckoned anew, stored, and told.

Relief's own worker on a database with 45,000 dibao households, from the commit of the approval to
the end of both jobs that it orders (the grants; the guarantees that depend on the line) with an
empty outbox. The baseline is one ``UPDATE … FROM`` over the same live grants.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal

import asyncpg

from deploy.local.provision import ServiceDatabase
from deploy.local.stack import load_reference_data
from services.relief.standards import actions as standards
from services.relief.standards.definitions import DEFINITIONS
from services.relief.worker import SUBSCRIPTIONS
from shared import parameters
from shared.applying import Applier
from shared.auth import Caller
from shared.contracts.topics import HOUSEHOLDS, RELIEF_ASSISTANCE, STANDARDS
from shared.db import Database
from shared.parameters import Entry
from shared.parking import Arrival
from tests.bench import states, topics
from tests.bench.machine import Bench
from tests.bench.row import Goal, Row, Run, Sides, rate
from tests.support.services import environment
from tests.support.waiting import until

HOUSEHOLDS_ON_DIBAO = 45_000
COUNTY = "331124"
AT_ONCE = 1_000


@asynccontextmanager
async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    households = int(HOUSEHOLDS_ON_DIBAO * scale)
    bootstrap = await bench.kafka()
    async with bench.database("relief") as filled:
        await load_reference_data(filled)
        await _fill(filled, households)

        async def ours() -> Run:
            async with (
                bench.copied("relief", filled) as database,
                topics.fresh_topics(
                    bootstrap, (HOUSEHOLDS, RELIEF_ASSISTANCE, STANDARDS)
                ) as prefix,
            ):
                settings = bench.surroundings.settings(
                    "relief", database, kafka_bootstrap_servers=bootstrap, topic_prefix=prefix
                )
                name = f"relief-worker-{prefix}"
                bench.start(name, ["-m", "services.relief.worker"], environment(settings))
                try:
                    seconds = await _raise_line(bench, database)
                finally:
                    await bench.stop(name)
                await _check(database, households)
            return rate(households, seconds)

        async def baseline() -> Run:
            async with bench.copied("relief", filled) as database:
                connection = await asyncpg.connect(database.worker_url)
                started = time.perf_counter()
                done = await connection.execute(_UPDATE, Decimal(724))
                seconds = time.perf_counter() - started
                await connection.close()
            return rate(int(done.split()[1]), seconds)

        yield Sides(ours=ours, baseline=baseline)


async def _fill(place: ServiceDatabase, households: int) -> None:
    """Households by their events, as they arrive; a line, so that each has its grant."""
    database = Database(place.worker_url, application_name="bench", pool_size=2)
    try:
        await _approve(database, Decimal(664), date(2026, 1, 1))
        applier = Applier(SUBSCRIPTIONS)
        for start in range(0, households, AT_ONCE):
            arrivals = [_arrival(at) for at in range(start, min(start + AT_ONCE, households))]
            async with database.transaction() as session:
                tally = await applier.take(session, arrivals)
            if tally.parked:
                raise RuntimeError(f"events were parked: {tally.parked}")
    finally:
        await database.close()
    owner = await asyncpg.connect(place.owner_url)
    await owner.execute("TRUNCATE outbox, jobs")
    await owner.execute("ANALYZE")
    await owner.close()


def _arrival(number: int) -> Arrival:
    event = states.envelope_of(number, 1)
    return Arrival(
        topic=HOUSEHOLDS.name,
        partition=0,
        offset=number,
        key=event.key.encode(),
        value=event.data,
        headers=list(event.headers()),
    )


async def _approve(database: Database, value: Decimal, valid_from: date) -> None:
    """Two officers put a line in force, with all that follows in the same transaction."""
    one, other = (
        Caller(sub=name, officer_id=name, divisions=(COUNTY,)) for name in ("one", "other")
    )
    entry = Entry(
        key="dibao_line",
        division_code=COUNTY,
        valid_from=valid_from,
        value=value,
        document_number="bench",
    )
    async with database.transaction() as session:
        entered = await parameters.enter(session, one, DEFINITIONS, entry)
        await parameters.approve(
            session, other, entered.parameter_id, on_approved=standards.announce
        )


async def _raise_line(bench: Bench, place: ServiceDatabase) -> float:
    """Seconds from the approval's commit until nothing of it is left to be done."""
    database = Database(place.worker_url, application_name="bench", pool_size=1)
    connection = await asyncpg.connect(place.worker_url)
    try:
        await until(lambda: _relay_works(connection), what="relief's worker")
        await _approve(database, Decimal(724), date(2026, 12, 1))
        started = time.perf_counter()

        async def over() -> bool:
            bench.check()
            return bool(await connection.fetchval(_OVER))

        await until(over, what="the recalculation", seconds=900, every=0.02)
        return time.perf_counter() - started
    finally:
        await connection.close()
        await database.close()


async def _relay_works(connection: asyncpg.Connection) -> bool:
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
    )


async def _check(place: ServiceDatabase, households: int) -> None:
    connection = await asyncpg.connect(place.worker_url)
    raised = await connection.fetchval(
        "SELECT count(*) FROM dibao_grants WHERE from_month = '2026-12-01'"
        " AND superseded_at IS NULL"
    )
    await connection.close()
    if raised != households:
        raise RuntimeError(f"{raised} grants were reckoned anew, not {households}")


_UPDATE = """
    UPDATE dibao_grants AS stored
    SET amount = greatest(0, ceil(($1::numeric * copy.n * 12 - copy.income) / 12))
    FROM (SELECT household_id, n,
                 greatest(0, (incomes ->> 'wage')::numeric)
                 + greatest(0, (incomes ->> 'business')::numeric)
                 + greatest(0, (incomes ->> 'property')::numeric)
                 + greatest(0, (incomes ->> 'transfer')::numeric) AS income
          FROM household_copy) AS copy
    WHERE stored.household_id = copy.household_id AND stored.superseded_at IS NULL
"""
_OVER = """
    SELECT NOT EXISTS (SELECT FROM jobs WHERE state IN ('queued', 'running'))
       AND NOT EXISTS (SELECT FROM outbox)
"""

ROWS = (
    Row(
        name="recalculation",
        unit="grants/s",
        goal=Goal(at_least=0.05, aim=0.2),
        open=_open,
    ),
)
