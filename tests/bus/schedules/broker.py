"""Kafka as the relay's real aiokafka producer meets it: only the network client is replaced.

Requests are lost, or arrive long after their sender is gone; acknowledgements are lost, late or
overtake each other; batches are stored twice where the broker has forgotten its producers.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer, TopicPartition, errors
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.memory_records import MemoryRecords

from tests.bus.schedules.primary import PARTITIONS, Primary
from tests.bus.schedules.schedule import Schedule

NODES = 2
RETRY_LATER = (
    errors.NotLeaderForPartitionError,
    errors.NotEnoughReplicasError,
    errors.RequestTimedOutError,
    errors.KafkaStorageError,
)
FOR_GOOD = (errors.UnknownError, errors.TopicAuthorizationFailedError, errors.InvalidTimestampError)

BROKER_FAULTS = {
    "bootstrap fails": 0.2,
    "no producer id": 0.1,
    "metadata slow": 0.02,
    "no leader": 0.05,
    "request lost": 0.1,
    "request slow": 0.5,
    "request very late": 0.1,
    "refused for now": 0.1,
    "refused for good": 0.05,
    "stored but refused": 0.1,
    "producers forgotten": 0.05,
    "arrives twice": 0.05,
    "acknowledgement lost": 0.1,
    "acknowledgement late": 0.1,
    "connection reset": 0.05,
}


@dataclass
class Log:
    """One partition: what is in it, and the next sequence number of each producer known there."""

    records: list[UUID] = field(default_factory=list)
    expected: dict[int, int] = field(default_factory=dict)
    leaderless_until: float = 0.0


class Broker:
    """The cluster, and every property that is seen from here."""

    def __init__(self, schedule: Schedule, primary: Primary) -> None:
        self.schedule = schedule
        self.logs: dict[TopicPartition, Log] = defaultdict(Log)
        self._primary = primary
        self._newest: dict[str, int] = defaultdict(int)
        self._seen: set[UUID] = set()
        self._next_producer = 0

    def new_producer(self) -> int:
        """A producer id."""
        self._next_producer += 1
        return self._next_producer

    def append(self, partition: TopicPartition, data: bytes) -> tuple[type[Exception], list[UUID]]:
        """Store a batch unless its sequence number speaks against it; gives the verdict."""
        schedule, log = self.schedule, self.logs[partition]
        if schedule.strikes("refused for now"):
            return schedule.random.choice(RETRY_LATER), []
        if schedule.strikes("refused for good"):
            return schedule.random.choice(FOR_GOOD), []
        if schedule.strikes("producers forgotten"):
            log.expected.clear()
        batch = MemoryRecords(data).next_batch()
        assert batch is not None
        first, producer = batch.base_sequence, batch.producer_id
        events = self._read(batch)
        expected = log.expected.get(producer, first)
        if first < expected:
            return errors.DuplicateSequenceNumber, events
        if first > expected:
            return errors.OutOfOrderSequenceNumber, []
        log.expected[producer] = first + len(events)
        self._store(partition, events)
        if schedule.strikes("stored but refused"):
            return errors.NotEnoughReplicasAfterAppendError, []
        return errors.NoError, events

    def _read(self, batch: Any) -> list[UUID]:
        found = []
        for record in batch:
            headers = dict(record.headers)
            event = UUID(headers["ce_id"].decode())
            row = self._primary.committed.get(event)
            if row is None:
                self.schedule.violated(f"{record.value!r} was never committed")
            elif record.value != row["data"] or record.key != row["key"].encode():
                self.schedule.violated(f"{record.value!r} is not what was committed")
            found.append(event)
        return found

    def _store(self, partition: TopicPartition, events: list[UUID]) -> None:
        self.logs[partition].records += events
        for event in events:
            if event in self._seen:
                continue
            self._seen.add(event)
            row = self._primary.committed[event]
            name, version = row["subject"], row["aggregate_version"]
            if version != self._newest[name] + 1:
                self.schedule.violated(f"{name} {version} arrived after {self._newest[name]}")
            self._newest[name] = version
        self.schedule.note("stored", at=partition, ids=[event.int for event in events])

    def acknowledge(self, events: list[UUID]) -> None:
        """A client is being told that these are stored."""
        self._primary.acknowledged.update(events)

    @property
    def lacking(self) -> set[UUID]:
        """What was committed and has never arrived."""
        return self._primary.committed.keys() - self._seen


class Mortal(AIOKafkaProducer):  # type: ignore[misc] # aiokafka has no types
    """The producer of a process that may be killed: it complains to nobody that it was open."""

    def __del__(self) -> None:
        pass


class Client:
    """In place of aiokafka's own client: what its producer asks of it, and nothing else."""

    def __init__(self, broker: Broker, *, request_timeout_ms: int, **_settings: Any) -> None:
        self._broker = broker
        self._schedule = broker.schedule
        self._timeout = request_timeout_ms / 1000
        self._waiting: set[asyncio.Future[Any]] = set()
        self._client_id = "relay"
        self.cluster = self
        self._closed = False

    def leader_for_partition(self, partition: TopicPartition) -> int:
        """-1 while it has none: then a batch may expire before it was ever sent."""
        now, log = asyncio.get_running_loop().time(), self._broker.logs[partition]
        if self._schedule.strikes("no leader"):
            log.leaderless_until = now + self._schedule.some(60.0)
        leaderless = now < log.leaderless_until and not self._schedule.calm
        return -1 if leaderless else partition.partition % NODES

    def partitions_for_topic(self, _topic: str) -> set[int]:
        """All of them."""
        return set(range(PARTITIONS))

    def get_random_node(self) -> int:
        """Any one."""
        return 0

    async def bootstrap(self) -> None:
        """Connect."""
        await self._schedule.pass_time(0.1)
        if self._schedule.strikes("bootstrap fails"):
            raise errors.KafkaConnectionError("unable to bootstrap")

    def force_metadata_update(self) -> asyncio.Future[bool]:
        """Told after a while."""
        loop = asyncio.get_running_loop()
        told = loop.create_future()
        loop.call_later(0.2, _settle, told, True)
        return told

    async def _wait_on_metadata(self, _topic: str) -> None:
        if self._schedule.strikes("metadata slow"):
            await asyncio.sleep(self._schedule.some(30.0))

    async def _maybe_wait_metadata(self) -> None:
        await asyncio.sleep(0)

    async def send(self, _node: int, request: Any, *, group: Any = None) -> Any:
        """Send a request and wait for its answer."""
        del group
        if self._closed or self._schedule.strikes("connection reset"):
            raise errors.NodeNotReadyError("no connection")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        self._waiting.add(answer)
        if isinstance(request, InitProducerIdRequest):
            loop.call_later(self._schedule.some(0.05), self._init, answer)
        else:
            self._travel(request, answer)
        try:
            async with asyncio.timeout(self._timeout):
                return await answer
        except TimeoutError as late:
            raise errors.RequestTimedOutError from late
        finally:
            self._waiting.discard(answer)

    def _init(self, answer: asyncio.Future[Any]) -> None:
        if not self._schedule.strikes("no producer id"):
            known = {"producer_id": self._broker.new_producer(), "producer_epoch": 0}
            _settle(answer, SimpleNamespace(error_code=0, **known))

    def _travel(self, request: Any, answer: asyncio.Future[Any]) -> None:
        """On its way it is lost or held up, whatever becomes of the client that sent it."""
        if self._schedule.strikes("request lost"):
            return
        arrivals = 2 if self._schedule.strikes("arrives twice") else 1
        for _ in range(arrivals):
            slow = 2.0 if self._schedule.strikes("request slow") else 0.02
            late = self._schedule.strikes("request very late")
            travel = self._schedule.some(40.0 if late else slow)
            asyncio.get_running_loop().call_later(travel, self._arrive, request, answer)

    def _arrive(self, request: Any, answer: asyncio.Future[Any]) -> None:
        acknowledged: list[UUID] = []
        topics = []
        for topic, batches in request._topics:
            verdicts = []
            for number, data in batches:
                error, events = self._broker.append(TopicPartition(topic, number), bytes(data))
                acknowledged += events
                verdicts.append((number, error.errno, 0, -1, 0))  # type: ignore[attr-defined]
            topics.append((topic, verdicts))
        if self._schedule.strikes("acknowledgement lost"):
            return
        late = self._schedule.strikes("acknowledgement late")
        asyncio.get_running_loop().call_later(
            self._schedule.some(30.0 if late else 0.02),
            self._answer,
            answer,
            SimpleNamespace(API_VERSION=7, topics=topics),
            acknowledged,
        )

    def _answer(self, answer: asyncio.Future[Any], response: Any, events: list[UUID]) -> None:
        if not answer.done():
            self._broker.acknowledge(events)
            answer.set_result(response)

    async def close(self) -> None:
        """The connections are gone; what was sent on them is not."""
        self._closed = True
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(errors.KafkaConnectionError("connection closed"))
        await asyncio.sleep(0)


def _settle(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)
