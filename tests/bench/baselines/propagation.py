"""``python -m tests.bench.baselines.propagation RESULT BOOTSTRAP TOPIC RATE SECONDS BYTES``.

Bare aiokafka at a steady rate: one record sent at its time, read by a consumer in the same
process; the delay runs from before the send to the record in hand.
"""

import asyncio
import sys
import time

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.bench.alone import write_answer
from tests.bench.pacing import paced, percentile

WARM_UP = 2.0


async def main(result: str, bootstrap: str, topic: str, *numbers: str) -> None:
    """Send and read for so many seconds."""
    per_second, seconds, size = map(int, numbers)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await producer.start()
    await consumer.start()
    consumer.assign([TopicPartition(topic, partition) for partition in range(12)])
    await consumer.seek_to_end()
    delays: list[float] = []
    reading = asyncio.create_task(_read(consumer, delays))
    padding = b"x" * size
    sends = []
    async for number in paced(per_second, seconds + WARM_UP):
        value = b"%.9f " % time.time() + padding
        sends.append(await producer.send(topic, value, partition=number % 12))
    await asyncio.gather(*sends)
    await asyncio.sleep(1.0)
    reading.cancel()
    await producer.stop()
    await consumer.stop()
    counted = delays[int(per_second * WARM_UP) :]
    write_answer(result, p50=percentile(counted, 50), p99=percentile(counted, 99))


async def _read(consumer: AIOKafkaConsumer, delays: list[float]) -> None:
    async for record in consumer:
        delays.append(time.time() - float(record.value.split(b" ", 1)[0]))  # noqa: PERF401 - ended from outside


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
