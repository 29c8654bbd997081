"""The relay: takes committed events from the outbox to Kafka, in order, at least once.

One relay a service is active, the holder of a session advisory lock; the lock only saves
duplicates, for a listener's version guard drops them. It never skips a row: a row is there until
its acknowledgement has deleted it, however late its transaction committed.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

import asyncpg
from aiokafka.errors import KafkaError
from prometheus_client import Counter, Gauge
from sqlalchemy import BigInteger, Column, DateTime, Identity, SmallInteger, Table, Text, func

from shared import events, logs
from shared.contracts.envelope import Envelope
from shared.db import platform_metadata
from shared.floor import Floor
from shared.producer import Outcome, Place, Producer, Record
from shared.waiting import pause

LOCK = 0x62616E676675  # "bangfu": the relay's advisory lock, in the service's own database
ROWS_A_ROUND = 2_000
BYTES_A_ROUND = 8_000_000
PRODUCER_LIFE = 86_400.0
"""Seconds; long before a partition's sequence number could wrap at 2^31 messages."""
SEND_DEADLINE = 15.0
BUSY, IDLE, DEEP_IDLE = 0.005, 0.025, 0.25
"""Seconds between looks at the outbox: busy until 1 s without work, deep idle after 60 s."""

LOST_SESSION = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # A session ended by the server in the middle of a statement may come out as this.
    asyncpg.InternalClientError,
)

outbox = Table(
    "outbox",
    platform_metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("topic", Text, nullable=False),
    Column("kafka_partition", SmallInteger, nullable=False),
    Column(
        "enqueued_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
    ),
)

SENT = Counter("bangfu_relay_sent_total", "Events acknowledged by Kafka.", ["service"])
FAILED = Counter("bangfu_relay_failures_total", "Sends that failed.", ["service", "topic"])
ACTIVE = Gauge("bangfu_relay_active", "1 while this process sends.", ["service"])
UNSENT = Gauge("bangfu_relay_unsent", "Rows in the outbox.", ["service"])
OLDEST = Gauge("bangfu_relay_oldest_unsent_seconds", "Age of the oldest.", ["service"])

_log = logs.get("relay")


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at the outbox found, and how far the floor may follow when it is sent."""

    rows: Sequence[asyncpg.Record]
    proven: int | None


class Relay:
    """Publishes one service's outbox until told to stop.

    ``run`` outlives broker and database outages; it raises only on a programming error.
    """

    def __init__(
        self,
        *,
        service: str,
        database_url: str,
        bootstrap_servers: str,
        topic_prefix: str = "",
        send_deadline: float = SEND_DEADLINE,
    ) -> None:
        self._service = service
        self._url = database_url
        self._bootstrap = bootstrap_servers
        self._prefix = topic_prefix
        self._deadline = send_deadline
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self.floor = Floor()
        self._producer: Producer | None = None
        self._failures = 0
        self._held: dict[Place, float] = {}
        self._last_work = 0.0
        self._ahead: _Look | None = None
        self._acknowledged: list[int] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Compete for the lock and publish while holding it, until ``stop`` is set."""
        self._stop = stop
        with events.waking(self._wake):
            while not stop.is_set():
                try:
                    await self._session(stop)
                except LOST_SESSION as error:
                    _log.warning("relay.database_lost", error=repr(error))
                    await pause(stop, 1.0)

    async def _session(self, stop: asyncio.Event) -> None:
        """One database session: wait for the lock as a standby, then publish on this session.

        All reads and deletes go through the session that holds the lock, so a relay that has lost
        its lock has lost its work as well.
        """
        async with _connected(self._url, f"{self._service}-relay") as connection:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
                await pause(stop, 1.0)
                if stop.is_set():
                    return
            _log.info("relay.active", service=self._service)
            ACTIVE.labels(self._service).set(1)
            try:
                await self._publish(connection, stop)
            finally:
                ACTIVE.labels(self._service).set(0)
                await self._drop_producer()

    async def _publish(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        floor = self.floor = Floor()
        self._ahead, self._acknowledged = None, []
        floor_checked = measured = 0.0
        while not stop.is_set():
            self._wake.clear()
            sent = await self._round(connection, floor)
            now = time.monotonic()
            if now - floor_checked > 0.2:
                floor_checked = now
                for seen in await connection.fetch(_SNAPSHOT, floor.seeks_bound):
                    floor.observe(xmin=seen["xmin"], bound=seen["bound"])
            if now - measured > 5.0:
                measured = now
                await self._measure(connection, floor)
            if not sent:
                await self._rest(stop)
        await self._delete_acknowledged(connection)
        await self._finish()

    async def _round(self, connection: asyncpg.Connection, floor: Floor) -> int:
        """Send what is visible above the floor and delete what Kafka has. Returns rows sent.

        In a backlog the database deletes the round before and reads the next one while Kafka takes
        this one.
        """
        look, self._ahead = self._ahead, None
        if look is None:
            await self._delete_acknowledged(connection)
            look = await self._look(connection, floor)
        if not look.rows:
            if look.proven is not None:
                floor.drained(look.proven, covered=None)
            return 0
        floor.saw(look.rows[-1]["id"])
        self._last_work = time.monotonic()
        looking = asyncio.ensure_future(self._look_ahead(connection, floor, look))
        try:
            outcome = await self._send(look.rows)
        except BaseException:
            # its trouble must not take the place of a cancellation of ours
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            raise
        ahead = await looking
        self._acknowledged += outcome.acknowledged
        gone = set(outcome.acknowledged)
        left = next((row["id"] for row in look.rows if row["id"] not in gone), None)
        if ahead is not None and left is None:
            self._ahead = ahead
        else:
            await self._delete_acknowledged(connection)
        if look.proven is not None:
            covered = look.rows[-1]["id"] if left is None else left - 1
            floor.drained(look.proven, covered=covered)
        return len(outcome.acknowledged)

    async def _look(self, connection: asyncpg.Connection, floor: Floor) -> "_Look":
        held = self._held_now()
        proven = None if held else floor.proven
        rows = await connection.fetch(
            _FETCH, floor.value, ROWS_A_ROUND, BYTES_A_ROUND, [f"{t}/{p}" for t, p in held]
        )
        return _Look(rows, proven)

    async def _look_ahead(
        self, connection: asyncpg.Connection, floor: Floor, under_way: "_Look"
    ) -> "_Look | None":
        """The round after the one that is under way, if there is a backlog.

        None where a row has appeared below its last one: that row goes first, for a later version
        of its aggregate may stand behind.
        """
        if len(under_way.rows) < ROWS_A_ROUND or self._held_now():
            return None
        await self._delete_acknowledged(connection)
        proven = floor.proven
        last = under_way.rows[-1]["id"]
        rows = await connection.fetch(
            _FETCH_AHEAD, last, ROWS_A_ROUND, BYTES_A_ROUND, floor.value, len(under_way.rows)
        )
        return _Look(rows, proven) if rows else None

    async def _delete_acknowledged(self, connection: asyncpg.Connection) -> None:
        acknowledged, self._acknowledged = self._acknowledged, []
        if acknowledged:
            await connection.execute(_DELETE, acknowledged)
            SENT.labels(self._service).inc(len(acknowledged))

    def _held_now(self) -> list[Place]:
        """Partitions left alone for a while, so that one in trouble does not fill every round."""
        now = time.monotonic()
        self._held = {place: until for place, until in self._held.items() if until > now}
        return list(self._held)

    async def _send(self, rows: Sequence[asyncpg.Record]) -> Outcome:
        batches: dict[Place, list[Record]] = {}
        for row in rows:
            place = Place(row["topic"], row["kafka_partition"])
            batches.setdefault(place, []).append(_record(row))
        try:
            producer = await self._live_producer()
            outcome = await producer.send(batches)
        except (KafkaError, OSError, TimeoutError) as error:
            outcome = Outcome(failed=dict.fromkeys(batches, repr(error)))
        if outcome.failed:
            await self._recover(outcome)
        else:
            self._failures = 0
        return outcome

    async def _live_producer(self) -> Producer:
        if self._producer is not None and self._producer.age > PRODUCER_LIFE:
            await self._drop_producer()
        if self._producer is None:
            self._producer = Producer(
                self._bootstrap,
                client_id=f"{self._service}-relay",
                topic_prefix=self._prefix,
                deadline=self._deadline,
            )
            await self._producer.start()
        return self._producer

    async def _recover(self, outcome: Outcome) -> None:
        """Discard the producer; wait longer each time, for all or for what failed."""
        self._failures += 1
        backoff = min(5.0, 0.05 * 2 ** min(self._failures, 8))
        for place, error in outcome.failed.items():
            FAILED.labels(self._service, place.topic).inc()
            _log.warning(
                "relay.send_failed", topic=place.topic, partition=place.partition, error=error
            )
        await self._drop_producer()
        if outcome.acknowledged:
            until = time.monotonic() + backoff
            self._held.update(dict.fromkeys(outcome.failed, until))
        else:
            await pause(self._stop, backoff)

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.discard()

    async def _finish(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _rest(self, stop: asyncio.Event) -> None:
        """Until the next look: an in-process commit ends it at once."""
        quiet = time.monotonic() - self._last_work
        wait = BUSY if quiet < 1.0 else IDLE if quiet < 60.0 else DEEP_IDLE
        if stop.is_set():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._wake.wait()

    async def _measure(self, connection: asyncpg.Connection, floor: Floor) -> None:
        for row in await connection.fetch(_UNSENT, floor.value):
            UNSENT.labels(self._service).set(row["unsent"])
            OLDEST.labels(self._service).set(row["age"] or 0.0)


_in_order = itemgetter(
    *({"id": "event_id", "time": "occurred_at"}.get(name, name) for name in Envelope._fields)
)


def _record(row: asyncpg.Record) -> Record:
    envelope = Envelope._make(_in_order(row))
    return Record(row["id"], envelope.key.encode(), envelope.data, envelope.headers())


@contextlib.asynccontextmanager
async def _connected(url: str, application_name: str) -> AsyncIterator[asyncpg.Connection]:
    """A session that always looks rows up by key.

    A plan made while the outbox was empty must not scan the whole history once it is not.
    """
    connection = await asyncpg.connect(
        url,
        timeout=10,
        command_timeout=20,
        server_settings={
            "application_name": application_name,
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            "jit": "off",
            # A delete that a power cut undoes costs duplicates, nothing else.
            "synchronous_commit": "off",
            # a machine that vanished must not keep the lock for the two hours of TCP's own default
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
        },
    )
    try:
        yield connection
    finally:
        with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError):
            await connection.close(timeout=5)


_LOOK = """
    SELECT id, topic, kafka_partition, event_id, key, source, type, subject, aggregate_version,
           episode, rule_set, effective_from, correlation_id, causation_id, traceparent,
           occurred_at, data
    FROM (
        SELECT o.id, e.topic, e.kafka_partition, e.event_id, e.key, e.source, e.type, e.subject,
               e.aggregate_version, e.episode, e.rule_set, e.effective_from, e.correlation_id,
               e.causation_id, e.traceparent, e.occurred_at, e.data,
               sum(octet_length(e.data)) OVER (ORDER BY o.id) - octet_length(e.data) AS before
        FROM (
            SELECT * FROM outbox WHERE id > $1 AND {wanted} ORDER BY id LIMIT $2
        ) AS o
        JOIN events AS e ON e.id = o.event_id AND e.recorded_at = o.recorded_at
    ) AS numbered
    WHERE before < $3
    ORDER BY id
"""

_FETCH = _LOOK.format(
    wanted="(cardinality($4::text[]) = 0 OR topic || '/' || kafka_partition <> ALL ($4))"
)

# Nothing where another row than the $5 that are under way stands between the floor $4 and $1.
_FETCH_AHEAD = _LOOK.format(wanted="(SELECT count(*) FROM outbox WHERE id > $4 AND id <= $1) = $5")

_DELETE = "DELETE FROM outbox WHERE id = ANY ($1::bigint[])"

# A number of our own is above every one given out; the snapshot's xmax need not be (see Floor).
_SNAPSHOT = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
           CASE WHEN $1 THEN pg_current_xact_id()::text::bigint END AS bound
"""

_UNSENT = """
    SELECT count(*) AS unsent,
           (SELECT extract(epoch FROM clock_timestamp() - enqueued_at)::float8
            FROM outbox WHERE id > $1 ORDER BY id LIMIT 1) AS age
    FROM outbox WHERE id > $1
"""
