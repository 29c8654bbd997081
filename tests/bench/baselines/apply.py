"""``python -m tests.bench.baselines.apply RESULT DATABASE_URL BOOTSTRAP TOPIC EVENTS``.

Bare aiokafka and asyncpg: getmany, the newest of every aggregate in the batch, one ``unnest``
upsert of the same bytes under a version guard, the offsets in the same transaction.
"""

import asyncio
import sys
import time
from typing import Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.bench.alone import write_answer

AT_ONCE = 1_000


async def main(result: str, url: str, bootstrap: str, topic: str, count: str) -> None:
    """Catch up."""
    connection = await asyncpg.connect(url)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=8_000_000,
        max_partition_fetch_bytes=1_048_576,
    )
    started = time.perf_counter()
    await consumer.start()
    consumer.assign([TopicPartition(topic, partition) for partition in range(12)])
    taken = 0
    while taken < int(count):
        batches = await consumer.getmany(timeout_ms=500, max_records=AT_ONCE)
        newest: dict[str, tuple[int, bytes]] = {}
        for records in batches.values():
            taken += len(records)
            for record in records:
                _keep(newest, record)
        offsets = {place.partition: records[-1].offset + 1 for place, records in batches.items()}
        if newest:
            await _write(connection, newest, offsets)
    seconds = time.perf_counter() - started
    await consumer.stop()
    await connection.close()
    write_answer(result, seconds=seconds)


def _keep(newest: dict[str, tuple[int, bytes]], record: Any) -> None:
    headers = dict(record.headers)
    subject, version = headers["ce_subject"].decode(), int(headers["ce_aggregateversion"])
    if subject not in newest or newest[subject][0] < version:
        newest[subject] = (version, record.value)


async def _write(
    connection: asyncpg.Connection,
    newest: dict[str, tuple[int, bytes]],
    offsets: dict[int, int],
) -> None:
    async with connection.transaction():
        await connection.execute(
            _UPSERT,
            list(newest),
            [version for version, _ in newest.values()],
            [value for _, value in newest.values()],
        )
        await connection.execute(_MOVE, list(offsets), list(offsets.values()))


TABLES = """
    CREATE TABLE bare_copy (id uuid PRIMARY KEY, version bigint NOT NULL, data bytea NOT NULL);
    CREATE TABLE bare_offsets (kafka_partition integer PRIMARY KEY, next_offset bigint NOT NULL);
"""
_UPSERT = """
    INSERT INTO bare_copy SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bytea[])
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, data = excluded.data
        WHERE bare_copy.version < excluded.version
"""
_MOVE = """
    INSERT INTO bare_offsets SELECT * FROM unnest($1::integer[], $2::bigint[])
    ON CONFLICT (kafka_partition) DO UPDATE SET next_offset = excluded.next_offset
"""

if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
