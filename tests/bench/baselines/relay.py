"""``python -m tests.bench.baselines.relay RESULT DATABASE_URL BOOTSTRAP TOPIC EVENTS``.

Bare aiokafka: explicit batches, one future a batch, all partitions at once, idempotent and
``acks=all`` as ours. The records (key, value, headers: the same bytes) lie ready in memory.
"""

import asyncio
import sys
import time
from typing import Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaProducer

from shared.contracts.envelope import Envelope
from tests.bench.alone import write_answer

DISTINCT = 20_000
"""So many are held and sent again and again: all of them would be a gigabyte of small objects."""
BATCH_BYTES = 500_000

Record = tuple[bytes, bytes, list[tuple[str, bytes]]]


async def main(result: str, url: str, bootstrap: str, topic: str, count: str) -> None:
    """Send so many records."""
    events = int(count)
    partitions = await _records(url)
    times = events // DISTINCT if events >= DISTINCT else 1
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        max_batch_size=BATCH_BYTES,
        max_request_size=12 * BATCH_BYTES,
    )
    await producer.start()
    started = time.perf_counter()
    waiting = [
        asyncio.create_task(_send(producer, topic, partition, records, times))
        for partition, records in partitions.items()
    ]
    sent = sum(await asyncio.gather(*waiting))
    seconds = time.perf_counter() - started
    await producer.stop()
    write_answer(result, seconds=seconds, sent=sent)


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, records: list[Record], times: int
) -> int:
    """One partition's records, batch after full batch; the next is made while one is under way."""
    sent = 0
    under_way: asyncio.Future[Any] | None = None
    batch: Any = producer.create_batch()
    for _ in range(times):
        for key, value, headers in records:
            while batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                batch.close()
                if under_way is not None:
                    await under_way
                under_way = await producer.send_batch(batch, topic, partition=partition)
                batch = producer.create_batch()
            sent += 1
    batch.close()
    if under_way is not None:
        await under_way
    await (await producer.send_batch(batch, topic, partition=partition))
    return sent


async def _records(url: str) -> dict[int, list[Record]]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT * FROM events ORDER BY id LIMIT $1", DISTINCT)
    await connection.close()
    found: dict[int, list[Record]] = {}
    for row in rows:
        envelope = Envelope(
            id=row["event_id"],
            time=row["occurred_at"],
            **{name: row[name] for name in Envelope._fields if name not in {"id", "time"}},
        )
        record = (envelope.key.encode(), envelope.data, envelope.headers())
        found.setdefault(row["kafka_partition"], []).append(record)
    return found


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
