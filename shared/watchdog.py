"""Looks at a consumer from outside: lag, parked messages, and whether it has fallen silent.

aiokafka has stopped without an error after broker restarts. The watchdog asks the broker for the
end of each partition over a connection of its own and compares with the offsets in our database.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import Gauge
from sqlalchemy import text

from shared import applying, clock, logs, topic_ids
from shared.contracts.topics import Topic
from shared.db import Database
from shared.producer import Place
from shared.trouble import passes
from shared.waiting import pause

LOOK_EVERY = 2.0

LAG = Gauge("bangfu_consumer_lag", "Messages not yet applied.", ["service", "topic"])
PARKED_NOW = Gauge("bangfu_parked", "Messages parked now.", ["service"])
PARKED_OLDEST = Gauge("bangfu_parked_oldest_seconds", "Age of the oldest parked.", ["service"])

_log = logs.get("watchdog")


class StalledError(RuntimeError):
    """Events wait and the Kafka client delivers none, although the broker answers."""


@dataclass(slots=True)
class Progress:
    """What the consumer does, for the watchdog to see. Places, not aiokafka's partitions."""

    assigned: frozenset[Place] = frozenset()
    excused: set[Place] = field(default_factory=set)
    """Out of range: known not to move, until the consumer tries again."""
    made_anew: set[Place] = field(default_factory=set)
    """The stored offset counts in a topic that is no more: the consumer is to begin again."""
    delivered: dict[Place, int] = field(default_factory=dict)
    deliveries: int = 0
    busy: bool = False
    stalled: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self) -> None:
        """A new client is starting."""
        self.assigned = frozenset()
        self.excused.clear()
        self.stalled.clear()

    def assign(self, places: Iterable[Place]) -> None:
        """These partitions are ours now."""
        self.assigned = frozenset(places)

    def deliver(self, places: Iterable[Place]) -> None:
        """Records of these partitions came in."""
        self.deliveries += 1
        for place in places:
            self.delivered[place] = self.deliveries
            self.excused.discard(place)


class Watchdog:
    """Keeps the gauges and sets ``progress.stalled`` after ``stall_after`` seconds of silence.

    Silence is: the broker answers us, has more than is stored, nothing of that partition was
    delivered or stored meanwhile, and no transaction is under way. Without the broker's or the
    database's answer there is no verdict.
    """

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        topics: Sequence[Topic],
        bootstrap_servers: str,
        topic_prefix: str,
        progress: Progress,
        stall_after: float,
    ) -> None:
        self._service = service
        self._database = database
        self._topics = [topic.name for topic in topics]
        self._partitions = [
            TopicPartition(topic_prefix + topic.name, number)
            for topic in topics
            for number in range(topic.partitions)
        ]
        self._prefix = topic_prefix
        self._bootstrap = bootstrap_servers
        self._progress = progress
        self._stall_after = stall_after
        self._marks: dict[Place, tuple[tuple[int, int], float]] = {}
        self._observer: AIOKafkaConsumer | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Look every LOOK_EVERY seconds, or more often where ``stall_after`` is short."""
        every = min(LOOK_EVERY, self._stall_after / 4)
        try:
            while not stop.is_set():
                try:
                    await self._look()
                except Exception as error:
                    if not isinstance(error, KafkaError) and not passes(error):
                        raise
                    self._marks.clear()
                    await self._close_observer()
                await pause(stop, every)
        finally:
            await self._close_observer()

    async def _look(self) -> None:
        async with self._database.transaction() as session:
            stored = await applying.stored_offsets(session, self._topics)
            parked = (await session.execute(_PARKED)).one()
        PARKED_NOW.labels(self._service).set(parked.number)
        oldest = (clock.now() - parked.oldest).total_seconds() if parked.oldest else 0.0
        PARKED_OLDEST.labels(self._service).set(oldest)
        ends = await self._ends()
        await self._compare_ids()
        for topic in self._topics:
            lag = sum(end - stored.get(p, 0) for p, end in ends.items() if p.topic == topic)
            LAG.labels(self._service, topic).set(lag)
        self._judge(ends, stored)

    async def _compare_ids(self) -> None:
        """Tell the consumer of topics that were made anew under it, offsets in range or not."""
        ids = await topic_ids.ask_as(self._observer, self._prefix, self._topics)
        async with self._database.transaction() as session:
            self._progress.made_anew.update(await topic_ids.made_anew(session, ids))

    def _judge(self, ends: Mapping[Place, int], stored: Mapping[Place, int]) -> None:
        now = time.monotonic()
        progress = self._progress
        if progress.busy:
            self._marks.clear()
            return
        for place, end in ends.items():
            # A member without any partition watches all: joining the group may be what is stuck.
            mine = not progress.assigned or place in progress.assigned
            reached = stored.get(place, 0)
            if not mine or end <= reached or place in progress.excused:
                self._marks.pop(place, None)
                continue
            mark = (reached, progress.delivered.get(place, 0))
            before = self._marks.get(place)
            if before is None or before[0] != mark:
                self._marks[place] = (mark, now)
            elif now - before[1] > self._stall_after:
                _log.error("consumer.silent", topic=place.topic, partition=place.partition)
                self._marks.clear()
                progress.stalled.set()
                return

    async def _ends(self) -> dict[Place, int]:
        async with asyncio.timeout(10):
            if self._observer is None:
                self._observer = AIOKafkaConsumer(
                    bootstrap_servers=self._bootstrap,
                    client_id=f"{self._service}-watchdog",
                    enable_auto_commit=False,
                    request_timeout_ms=8_000,
                )
                await self._observer.start()
            ends = await self._observer.end_offsets(self._partitions)
        return {
            Place(tp.topic.removeprefix(self._prefix), tp.partition): end
            for tp, end in ends.items()
        }

    async def _close_observer(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(5):
                    await observer.stop()


_PARKED = text(
    "SELECT count(*) AS number, min(parked_at) AS oldest FROM parked WHERE state = 'parked'"
)
