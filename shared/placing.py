"""Where a consumer begins to read: the offsets of its own database, where they can be trusted.

They cannot where the topic was deleted and made anew (the offset counts in another topic: begin at
the first), and they are old where the database was restored (applied again, and said so).
"""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import Counter, Gauge

from shared import applying, logs, topic_ids
from shared.db import Database
from shared.producer import Place

OUT_OF_RANGE = Gauge(
    "bangfu_consumer_out_of_range",
    "1 where the stored offset is not in the topic (any more): events must be replayed.",
    ["service", "topic", "partition"],
)
BEGAN_AGAIN = Gauge(
    "bangfu_consumer_began_again",
    "1 where the topic was made anew under this process: its writer must send its history again.",
    ["service", "topic", "partition"],
)
WENT_BACK = Counter(
    "bangfu_consumer_database_went_back_total",
    "Partitions whose stored offset was older than one committed before: a restored database.",
    ["service", "topic"],
)

_log = logs.get("consumer")


class Placing:
    """Finds the offsets at which the partitions of one listener go on."""

    def __init__(
        self, service: str, database: Database, topic_prefix: str, topics: Sequence[str]
    ) -> None:
        self._service = service
        self._database = database
        self._prefix = topic_prefix
        self._topics = topics

    async def stored(
        self,
        kafka: AIOKafkaConsumer,
        wanted: Mapping[Place, TopicPartition],
        just_assigned: Collection[TopicPartition],
    ) -> Mapping[Place, int]:
        """The stored offset of every partition, first brought into being or begun again.

        Of ``wanted`` alone: a partition never seen begins at its first offset, and so does one
        whose topic was made anew. Raises KafkaError and what the database raises.
        """
        ids = await topic_ids.ask_as(kafka, self._prefix, {place.topic for place in wanted})
        async with self._database.transaction() as session:
            await topic_ids.adopt(session, ids)
            anew = await topic_ids.made_anew(session, ids)
            stored = await applying.stored_offsets(session, self._topics)
        for place, partition in wanted.items():
            if partition in just_assigned and place in stored and place not in anew:
                await self._look_back(kafka, partition, place, stored[place])
        unseen = [tp for place, tp in wanted.items() if place not in stored or place in anew]
        if not unseen:
            return stored
        beginnings = await kafka.beginning_offsets(unseen)
        first = {place: beginnings[tp] for place, tp in wanted.items() if tp in beginnings}
        async with self._database.transaction() as session:
            await applying.start_offsets(session, first)
            await topic_ids.adopt(session, ids)
            await topic_ids.begin_again(session, first, ids)
            stored = await applying.stored_offsets(session, self._topics)
        self._tell_made_anew({place: at for place, at in anew.items() if place in wanted})
        return stored

    def _tell_made_anew(self, left: Mapping[Place, int]) -> None:
        """An alarm: what the old topic held unread is gone, and its writer must send it again."""
        for place, offset in sorted(left.items()):
            _log.error(
                "consumer.topic_made_anew",
                topic=place.topic,
                partition=place.partition,
                was_at=offset,
                remedy="the writer's worker replays its history by itself; look at events status",
            )
            labels = (self._service, place.topic, str(place.partition))
            BEGAN_AGAIN.labels(*labels).set(1)
            OUT_OF_RANGE.labels(*labels).set(0)

    async def _look_back(
        self, kafka: AIOKafkaConsumer, partition: TopicPartition, place: Place, offset: int
    ) -> None:
        """Notice a restored database: Kafka is told an offset only after our own has moved."""
        committed = None
        with contextlib.suppress(TimeoutError):  # no answer, no verdict
            async with asyncio.timeout(10):
                committed = await kafka.committed(partition)
        if committed is not None and committed > offset:
            WENT_BACK.labels(self._service, place.topic).inc()
            _log.error(
                "consumer.database_went_back",
                topic=place.topic,
                partition=place.partition,
                stored=offset,
                committed=committed,
                remedy="what Kafka still has is applied again by itself; check: events verify",
            )
