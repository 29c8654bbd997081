"""The Kafka side of a listener: membership, positions, and batches handed to ``applying``.

Offsets live in the service's own database and move with the effect. Trouble that passes by itself
is waited out for ever with the batch fetched again, so that order is kept.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from prometheus_client import Counter

from shared import applying, logs
from shared.applying import Applier, Handler, NotWholeError, Subscription, Tally
from shared.db import Database
from shared.parking import Arrival
from shared.placing import OUT_OF_RANGE, Placing
from shared.producer import Place
from shared.trouble import passes, reason_of
from shared.waiting import pause
from shared.watchdog import Progress, StalledError, Watchdog

__all__ = ["Consumer", "Handler", "Subscription"]

MAX_RECORDS = 1_000
POLL_MS = 500
OUT_OF_RANGE_PAUSE = 30.0

APPLIED = Counter("bangfu_consumer_applied_total", "Newest states applied.", ["service", "topic"])
STALE = Counter(
    "bangfu_consumer_stale_total", "Copies no newer than what is stored.", ["service", "topic"]
)
UNKNOWN = Counter(
    "bangfu_consumer_unknown_total", "Skipped for an unknown type.", ["service", "topic"]
)
PARKED = Counter("bangfu_consumer_parked_total", "Messages parked.", ["service", "topic"])
RETRIES = Counter(
    "bangfu_consumer_retries_total", "Batches put off by trouble that passes.", ["service"]
)
REBUILDS = Counter("bangfu_consumer_rebuilds_total", "Kafka clients made anew.", ["service"])

_log = logs.get("consumer")
Records = Mapping[TopicPartition, Sequence[Any]]


class Consumer:
    """One member of a service's consumer group.

    ``run`` outlives outages of Kafka and of the database. Raises StalledError when a rebuilt
    client is silent again, so that the process ends and its supervisor starts a fresh one.
    """

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        subscriptions: Sequence[Subscription],
        bootstrap_servers: str,
        topic_prefix: str = "",
        member: str | None = None,
        session_timeout: float = 10.0,
        stall_after: float = 20.0,
    ) -> None:
        self._service = service
        self._database = database
        self._applier = Applier(subscriptions)
        self._bootstrap = bootstrap_servers
        self._prefix = topic_prefix
        self._member = member or socket.gethostname()
        self._life = 1
        self._session_timeout = session_timeout
        self._topics = sorted(self._applier.topics)
        self.progress = Progress()
        self._placing = Placing(service, database, topic_prefix, self._topics)
        self._watchdog = Watchdog(
            service=service,
            database=database,
            topics=list(self._applier.topics.values()),
            bootstrap_servers=bootstrap_servers,
            topic_prefix=topic_prefix,
            progress=self.progress,
            stall_after=stall_after,
        )
        self._applying = asyncio.Lock()
        self._positions: dict[TopicPartition, int] = {}
        self._unplaced: set[TopicPartition] = set()
        self._just_assigned: set[TopicPartition] = set()
        self._paused_until: dict[TopicPartition, float] = {}
        self._backoff = 0.0
        self._most = MAX_RECORDS
        self._kafka: AIOKafkaConsumer | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop`` is set."""
        if not self._topics:
            await stop.wait()
            return
        watching = asyncio.create_task(self._watchdog.run(stop))
        consuming = asyncio.create_task(self._rebuild_until(stop))
        try:
            # a watchdog that fails ends the consumer: unwatched, it could fall silent for good
            await asyncio.wait([watching, consuming], return_when=asyncio.FIRST_COMPLETED)
            await (consuming if stop.is_set() or consuming.done() else watching)
        finally:
            for task in (watching, consuming):
                task.cancel()
            await asyncio.gather(watching, consuming, return_exceptions=True)

    async def _rebuild_until(self, stop: asyncio.Event) -> None:
        rebuilt_for_silence = False
        while not stop.is_set():
            delivered = self.progress.deliveries
            try:
                await self._member_until(stop)
            except StalledError:
                if rebuilt_for_silence and self.progress.deliveries == delivered:
                    raise
                rebuilt_for_silence = True
                if not self.progress.assigned:
                    # A static member that comes back is given what it had, so nothing again; for a
                    # new one the partitions are dealt anew.
                    self._life += 1
                _log.error("consumer.stalled", service=self._service)
            except (KafkaError, OSError, TimeoutError) as error:
                _log.warning("consumer.kafka_trouble", error=repr(error))
                await pause(stop, 1.0)
            if not stop.is_set():
                REBUILDS.labels(self._service).inc()

    async def _member_until(self, stop: asyncio.Event) -> None:
        """One client's life, from joining the group to ``stop``, an error or silence."""
        self._positions.clear()
        self._unplaced.clear()
        self._paused_until.clear()
        self.progress.begin()
        kafka = self._kafka = self._client()
        kafka.subscribe([self._prefix + name for name in self._topics], listener=_Listener(self))
        try:
            async with asyncio.timeout(30):
                await kafka.start()
            polling = asyncio.create_task(self._poll_until(kafka, stop))
            silent = asyncio.create_task(self.progress.stalled.wait())
            try:
                await asyncio.wait([polling, silent], return_when=asyncio.FIRST_COMPLETED)
            finally:
                silent.cancel()
                fell_silent = polling.cancel()
                await asyncio.wait([polling])
            if fell_silent:
                raise StalledError(f"{self._service}: the consumer is silent while events wait")
            await polling
        finally:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(15):
                    await kafka.stop()

    def _client(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=f"{self._service}-consumer",
            group_id=self._prefix + self._service,
            group_instance_id=f"{self._service}-{self._member}-{self._life}",
            auto_offset_reset="none",
            enable_auto_commit=False,
            session_timeout_ms=int(self._session_timeout * 1000),
            heartbeat_interval_ms=int(self._session_timeout * 1000 / 5),
            rebalance_timeout_ms=30_000,
            # Waiting out a database outage must not cost the membership: the watchdog looks after
            # a client that does not poll.
            max_poll_interval_ms=86_400_000,
            fetch_max_bytes=8_000_000,
            max_partition_fetch_bytes=1_048_576,
            fetch_max_wait_ms=250,
            request_timeout_ms=15_000,
            # A topic that was away and is back must be dealt out again before it counts as silence.
            metadata_max_age_ms=5_000,
        )

    async def _poll_until(self, kafka: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        committed = 0.0
        while not stop.is_set():
            try:
                await self._place(kafka)
                # The outer limit is for a rebalance, during which getmany waits without one.
                async with asyncio.timeout(10):
                    records = await kafka.getmany(timeout_ms=POLL_MS, max_records=self._most)
                if records:
                    self.progress.deliver(self._place_of(partition) for partition in records)
                    async with self._applying:
                        await self._apply(records)
                self._backoff, self._most = 0.0, min(MAX_RECORDS, self._most * 2)
            except NoOffsetForPartitionError as error:
                self._unplaced.update(_named_in(error))
            except OffsetOutOfRangeError as error:
                self._out_of_range(kafka, error)
            except Exception as error:
                if isinstance(error, KafkaError) or not passes(error):
                    raise
                await self._wait_out(stop, error)
            if time.monotonic() - committed > 2.0:
                committed = time.monotonic()
                await self._tell_kafka(kafka)

    async def _apply(self, records: Records) -> None:
        """One transaction: fence, apply, move the offsets. A batch that fails is fetched again."""
        self.progress.busy = True
        try:
            try:
                following, tally = await self._transact(records, whole=True)
            except NotWholeError:
                following, tally = await self._transact(records, whole=False)
        except BaseException:
            self._unplaced.update(records)
            raise
        finally:
            self.progress.busy = False
        self._positions.update(following)
        self._count(tally)

    async def _transact(
        self, records: Records, *, whole: bool
    ) -> tuple[dict[TopicPartition, int], Tally]:
        async with self._database.transaction() as session:
            places = [self._place_of(partition) for partition in records]
            stored = await applying.lock_offsets(session, places)
            arrivals, following = self._accept(records, stored)
            tally = Tally()
            if arrivals:
                tally = await self._applier.take(session, arrivals, whole=whole)
            if following:
                await applying.move_offsets(
                    session, {self._place_of(tp): offset for tp, offset in following.items()}
                )
        return following, tally

    def _accept(
        self, records: Records, stored: Mapping[Place, int]
    ) -> tuple[list[Arrival], dict[TopicPartition, int]]:
        """What is to be applied, and where each partition goes on.

        A partition whose stored offset is not where this client reads from is placed anew: another
        member has had it, or Kafka's own committed offset was used for a moment.
        """
        arrivals: list[Arrival] = []
        following: dict[TopicPartition, int] = {}
        for partition, batch in records.items():
            place = self._place_of(partition)
            begin = stored.get(place)
            doubtful = partition in self._unplaced  # assigned anew while these were on their way
            if doubtful or begin is None or self._positions.get(partition) != begin:
                self._unplaced.add(partition)
                continue
            arrivals.extend(
                Arrival(
                    topic=place.topic,
                    partition=place.partition,
                    offset=record.offset,
                    key=record.key,
                    value=record.value,
                    headers=list(record.headers),
                )
                for record in batch
                if record.offset >= begin
            )
            following[partition] = max(begin, batch[-1].offset + 1)
        return arrivals, following

    async def _place(self, kafka: AIOKafkaConsumer) -> None:
        """Seek newly assigned or doubtful partitions to the offsets in our own database."""
        now = time.monotonic()
        anew = {tp for tp in kafka.assignment() if self._place_of(tp) in self.progress.made_anew}
        self.progress.made_anew.clear()
        self._unplaced |= anew
        for partition in [
            tp for tp, until in self._paused_until.items() if until <= now or tp in anew
        ]:
            del self._paused_until[partition]
            # tried again now: a client that stays silent must not be excused for ever
            self.progress.excused.discard(self._place_of(partition))
            if partition in kafka.assignment():
                kafka.resume(partition)
                self._unplaced.add(partition)
        wanted = self._unplaced & set(kafka.assignment())
        if not wanted:
            return
        stored = await self._placing.stored(
            kafka, {self._place_of(tp): tp for tp in wanted}, self._just_assigned & wanted
        )
        # a row that is gone again (the database was restored) leaves its partition doubtful
        placed = {partition for partition in wanted if self._place_of(partition) in stored}
        self._just_assigned -= placed
        self._unplaced -= placed
        for partition in placed:
            with contextlib.suppress(IllegalStateError):  # taken away in the meantime
                kafka.seek(partition, stored[self._place_of(partition)])
                self._positions[partition] = stored[self._place_of(partition)]

    def _out_of_range(self, kafka: AIOKafkaConsumer, error: OffsetOutOfRangeError) -> None:
        """An alarm, never a silent jump: the partition rests, the others flow."""
        for partition in _named_in(error):
            place = self._place_of(partition)
            self._positions.pop(partition, None)
            _log.error(
                "consumer.out_of_range",
                topic=place.topic,
                partition=place.partition,
                remedy="replay the writer's events, then run: events restart TOPIC PARTITION",
            )
            OUT_OF_RANGE.labels(self._service, place.topic, str(place.partition)).set(1)
            self._paused_until[partition] = time.monotonic() + OUT_OF_RANGE_PAUSE
            self.progress.excused.add(place)
            with contextlib.suppress(IllegalStateError):
                kafka.pause(partition)

    async def _wait_out(self, stop: asyncio.Event, error: Exception) -> None:
        self._backoff = min(5.0, self._backoff * 2 or 0.05)
        # what was too slow for a statement's or a lock's time limit comes again in smaller batches
        self._most = max(1, self._most // 2)
        RETRIES.labels(self._service).inc()
        _log.warning("consumer.waits", reason=reason_of(error), seconds=self._backoff)
        await pause(stop, self._backoff)

    async def _tell_kafka(self, kafka: AIOKafkaConsumer) -> None:
        """Commit to Kafka as well: for lag tools alone, so a failure does not matter."""
        mine = kafka.assignment()
        offsets = {tp: offset for tp, offset in self._positions.items() if tp in mine}
        if offsets:
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(5):
                    await kafka.commit(offsets)

    def _count(self, tally: Tally) -> None:
        for counter, counts in (
            (APPLIED, tally.applied),
            (STALE, tally.stale),
            (UNKNOWN, tally.unknown),
            (PARKED, tally.parked),
        ):
            for topic, number in counts.items():
                counter.labels(self._service, topic).inc(number)

    def _place_of(self, partition: TopicPartition) -> Place:
        return Place(partition.topic.removeprefix(self._prefix), partition.partition)

    async def revoked(self) -> None:
        """Partitions are about to move: let the running transaction end first."""
        async with self._applying:
            self._positions.clear()
            self._unplaced.clear()
            self._just_assigned.clear()
            self.progress.assigned = frozenset()

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """These are ours now; the poll loop seeks them, since that may have to wait."""
        self._unplaced.update(partitions)
        self._just_assigned.update(partitions)
        self.progress.assign(self._place_of(tp) for tp in partitions)
        for partition in partitions:
            place = self._place_of(partition)
            OUT_OF_RANGE.labels(self._service, place.topic, str(place.partition)).set(0)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(
        self,
        revoked: Iterable[TopicPartition],  # noqa: ARG002 - with this protocol it is all of them
    ) -> None:
        await self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._consumer.assigned(assigned)


def _named_in(error: KafkaError) -> list[TopicPartition]:
    """The partitions an offset error speaks of: aiokafka gives one, or a mapping of them."""
    told = error.args[0] if error.args else ()
    return [told] if isinstance(told, TopicPartition) else list(told)
