"""Topics under a prefix of a row's own, and filling one with events before the clock runs."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from deploy.local import topics
from shared.contracts.envelope import Envelope
from shared.contracts.topics import TOPICS, Topic
from shared.events import partition_of

_BATCH_BYTES = 500_000


@asynccontextmanager
async def fresh_topics(bootstrap: str, wanted: Sequence[Topic] = TOPICS) -> AsyncIterator[str]:
    """These topics, empty, deleted at the end; gives their prefix."""
    prefix = f"b{uuid4().hex[:10]}."
    await topics.create(bootstrap, prefix=prefix, topics=wanted)
    try:
        yield prefix
    finally:
        await topics.delete(bootstrap, prefix=prefix)


async def fill(bootstrap: str, topic: Topic, prefix: str, events: Iterable[Envelope]) -> None:
    """Send these events as the writer's relay would."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        max_batch_size=_BATCH_BYTES,
        max_request_size=topic.partitions * _BATCH_BYTES,
    )
    await producer.start()
    name = prefix + topic.name
    batches: dict[int, Any] = {}
    try:
        for event in events:
            partition = partition_of(event.key, topic.partitions)
            record = {"key": event.key.encode(), "value": event.data, "headers": event.headers()}
            while (batch := batches.setdefault(partition, producer.create_batch())).append(
                timestamp=None, **record
            ) is None:
                await _send(producer, name, partition, batches.pop(partition))
        for partition, batch in batches.items():
            await _send(producer, name, partition, batch)
    finally:
        await producer.stop()


async def _send(producer: AIOKafkaProducer, name: str, partition: int, batch: Any) -> None:
    batch.close()
    await (await producer.send_batch(batch, name, partition=partition))
