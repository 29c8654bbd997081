"""The Kafka side of the relay: a producer that is thrown away at the first failed send.

After a batch of an idempotent aiokafka producer has failed or expired, its sequence numbers no
longer fit the broker's and it may fail for ever. So trouble is answered by a new producer and by
sending again from the database; the listeners' version guard drops what arrived twice.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from shared.contracts.envelope import Headers

MAX_BATCH_BYTES = 1_000_000
"""Under the broker's default message.max.bytes (1,048,588), over the largest event allowed."""


class Place(NamedTuple):
    """One partition of one topic, by the topic's name in the contracts (without any prefix)."""

    topic: str
    partition: int


class Record(NamedTuple):
    """One outbox row, ready to go: ``outbox_id`` is what an acknowledgement deletes."""

    outbox_id: int
    key: bytes
    value: bytes
    headers: Headers


@dataclass(slots=True)
class Outcome:
    """What became of one round: rows the broker has acknowledged, partitions that failed."""

    acknowledged: list[int] = field(default_factory=list)
    failed: dict[Place, str] = field(default_factory=dict)


class Producer:
    """Sends one batch a partition and waits for every acknowledgement, with its own deadline.

    Guarantees that after ``discard`` nothing more of it reaches the broker from this process.
    """

    def __init__(
        self, bootstrap_servers: str, *, client_id: str, topic_prefix: str, deadline: float
    ) -> None:
        self._prefix = topic_prefix
        self._deadline = deadline
        self._started_at = time.monotonic()
        self._kafka = AIOKafkaProducer(
            bootstrap_servers=bootstrap_servers,
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=MAX_BATCH_BYTES + 48_000,
            linger_ms=0,
            request_timeout_ms=int(deadline * 1000),
        )

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._started_at

    async def start(self) -> None:
        """Connect. Raises KafkaError or TimeoutError; discard the producer then."""
        async with asyncio.timeout(self._deadline):
            await self._kafka.start()

    async def send(self, batches: Mapping[Place, Sequence[Record]]) -> Outcome:
        """Send the records that fit one batch a partition, in order, and wait for the broker.

        Records past a full batch are neither acknowledged nor failed: the next round has them.
        A partition in ``Outcome.failed`` has an unknown outcome: discard the producer.
        """
        outcome = Outcome()
        waiting: dict[asyncio.Future[Any], tuple[Place, list[int]]] = {}
        started = time.monotonic()
        for place, records in batches.items():
            builder, included = self._build(records)
            try:
                left = self._deadline - (time.monotonic() - started)
                async with asyncio.timeout(max(left, 0.001)):
                    sent = await self._kafka.send_batch(
                        builder, self._prefix + place.topic, partition=place.partition
                    )
            except (KafkaError, OSError, TimeoutError) as error:
                outcome.failed[place] = repr(error)
                continue
            sent.add_done_callback(_retrieve)
            waiting[sent] = (place, included)
        await self._collect(waiting, self._deadline - (time.monotonic() - started), outcome)
        return outcome

    def _build(self, records: Sequence[Record]) -> tuple[Any, list[int]]:
        builder = self._kafka.create_batch()
        included: list[int] = []
        for record in records:
            # The record's time is the moment of sending, or the broker's own where a topic asks
            # for that: retention goes by it, so an old event that is replayed must not look old.
            if (
                builder.append(
                    timestamp=None, key=record.key, value=record.value, headers=record.headers
                )
                is None
            ):
                break
            included.append(record.outbox_id)
        builder.close()
        return builder, included

    async def _collect(
        self,
        waiting: Mapping[asyncio.Future[Any], tuple[Place, list[int]]],
        left: float,
        outcome: Outcome,
    ) -> None:
        if not waiting:
            return
        await asyncio.wait(waiting, timeout=max(left, 0.001))
        for future, (place, included) in waiting.items():
            if not future.done():
                outcome.failed[place] = "no acknowledgement within the deadline"
            elif (error := future.exception()) is not None:
                outcome.failed[place] = repr(error)
            else:
                outcome.acknowledged.extend(included)

    async def stop(self) -> None:
        """Close a producer that has nothing under way."""
        await self._kafka.stop()

    async def discard(self) -> None:
        """Throw away a producer whose outcome is unknown, without flushing what it still holds."""
        sender = self._kafka._sender  # noqa: SLF001 - stop() would flush what must not go out
        task = sender.sender_task
        if task is not None and not task.done():
            task.cancel()
        # Closing the connections ends the requests that the cancelled sender still waits for.
        await self._kafka.client.close()
        if task is not None:
            await asyncio.wait([task], timeout=self._deadline)
        self._kafka._message_accumulator.fail_all(  # noqa: SLF001 - frees all who wait for it
            ProducerClosed()
        )
        # Not awaited itself: a sender that did not end in time is cancelled once more in there, and
        # comes out as cancelled, which must not be taken for a cancellation of ours.
        stopping = asyncio.ensure_future(self._kafka.stop())
        stopping.add_done_callback(_retrieve)
        await asyncio.wait([stopping], timeout=self._deadline)


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Look at the result, so that asyncio does not complain of one that nobody waited for."""
    if not future.cancelled():
        future.exception()
