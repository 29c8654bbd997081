"""``relay``: the drain of 500,000 events to Kafka, the service's own relay against bare aiokafka.

The outbox is filled by SQL as relief's payment run leaves it: 500 bytes of payload, a key a
household, all twelve partitions. Both sides run alone in a process of their own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.local.provision import ServiceDatabase
from shared.contracts.topics import RELIEF_ASSISTANCE
from tests.bench import topics
from tests.bench.alone import answer_of
from tests.bench.machine import Bench
from tests.bench.row import Goal, Row, Run, Sides, rate

EVENTS = 500_000
HOUSEHOLDS = 120_000


@asynccontextmanager
async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    events = int(EVENTS * scale)
    bootstrap = await bench.kafka()
    async with bench.database("relief") as database:
        await _fill_history(bench, database, events)

        async def ours() -> Run:
            await _fill_outbox(bench, database)
            async with topics.fresh_topics(bootstrap, (RELIEF_ASSISTANCE,)) as prefix:
                answer = await answer_of(
                    bench,
                    "tests.bench.programs.relay",
                    database.worker_url,
                    bootstrap,
                    prefix,
                    events,
                )
            return rate(events, answer["seconds"])

        async def baseline() -> Run:
            async with topics.fresh_topics(bootstrap, (RELIEF_ASSISTANCE,)) as prefix:
                answer = await answer_of(
                    bench,
                    "tests.bench.baselines.relay",
                    database.worker_url,
                    bootstrap,
                    prefix + RELIEF_ASSISTANCE.name,
                    events,
                )
            return rate(int(answer["sent"]), answer["seconds"])

        yield Sides(ours=ours, baseline=baseline)


async def _fill_history(bench: Bench, database: ServiceDatabase, events: int) -> None:
    connection = await asyncpg.connect(_as_superuser(bench, database))
    try:
        await connection.execute(_HISTORY, events, HOUSEHOLDS)
        await connection.execute("ANALYZE events")
    finally:
        await connection.close()


async def _fill_outbox(bench: Bench, database: ServiceDatabase) -> None:
    """As publish does, and what a busy server has behind it: vacuumed, analysed, checkpointed."""
    connection = await asyncpg.connect(_as_superuser(bench, database))
    try:
        await connection.execute("TRUNCATE outbox")
        await connection.execute(_OUTBOX)
        for order in ("VACUUM ANALYZE outbox", "CHECKPOINT"):
            await connection.execute(order)
    finally:
        await connection.close()


def _as_superuser(bench: Bench, database: ServiceDatabase) -> str:
    return bench.admin_url.rsplit("/", 1)[0] + "/" + database.worker_url.rsplit("/", 1)[1]


_HISTORY = """
    INSERT INTO events (event_id, topic, kafka_partition, key, source, type, subject,
                        aggregate_version, effective_from, correlation_id, causation_id,
                        occurred_at, data)
    SELECT gen_random_uuid(), 'relief.assistance', abs(hashtext(key)) % 12, key, '/relief',
           'bangfu.household.assisted.v1', gen_random_uuid()::text, 1, date '2026-11-01',
           gen_random_uuid()::text, gen_random_uuid()::text, now(),
           convert_to(json_build_object(
               'assistance_id', gen_random_uuid(), 'household_id', key,
               'person_ids', json_build_array(gen_random_uuid(), gen_random_uuid(),
                                              gen_random_uuid(), gen_random_uuid()),
               'programme', 'dibao', 'status', 'paid', 'amount', '664.00',
               'fund', 'county_budget', 'month', '2026-11-01', 'granted_on', '2026-11-10')::text,
               'UTF8')
    FROM (SELECT md5((number % $2::integer)::text)::uuid::text AS key
          FROM generate_series(1, $1::integer) AS number) AS numbered
"""
_OUTBOX = """
    INSERT INTO outbox (event_id, recorded_at, topic, kafka_partition)
    SELECT id, recorded_at, topic, kafka_partition FROM events ORDER BY id
"""

ROWS = (
    Row(
        name="relay",
        unit="events/s",
        goal=Goal(at_least=0.4, aim=0.6),
        open=_open,
        figure=410_000.0,
    ),
)
