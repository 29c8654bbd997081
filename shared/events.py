"""Publishing: an event joins the history and the outbox in the transaction that caused it.

``events`` is the history (the archive of everything ever published, partitioned by month),
``outbox`` what the relay has still to send. Nothing here talks to Kafka.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from aiokafka.partitioner import murmur2
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, errors, identity, logs
from shared.contracts.envelope import Payload
from shared.contracts.topics import Topic
from shared.db import Transaction, platform_metadata
from shared.together import Write, write_at_the_end

MAX_DATA_BYTES = 900_000
"""Leaves room for key and headers under the broker's limit: no event may be unsendable."""


events_table = Table(
    "events",
    platform_metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column(
        "recorded_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
    ),
    Column("event_id", Uuid, nullable=False),
    Column("topic", Text, nullable=False),
    Column("kafka_partition", SmallInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("aggregate_version", BigInteger, nullable=False),
    Column("episode", Integer),
    Column("rule_set", Text),
    Column("effective_from", Date),
    Column("correlation_id", Text, nullable=False),
    Column("causation_id", Text),
    Column("traceparent", Text),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("id", "recorded_at"),
    CheckConstraint(f"octet_length(data) <= {MAX_DATA_BYTES}", name="data_fits_kafka"),
    Index(None, "subject", "aggregate_version"),
    Index(None, "key"),
    postgresql_partition_by="RANGE (recorded_at)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """The whole state of one aggregate at one version, to be published.

    ``subject`` is the aggregate's id; ``version`` must have been raised under the aggregate's row
    lock. ``correlation_id`` and ``causation_id`` are found by themselves inside a request and
    inside a handler; set them only where neither is true.
    """

    topic: Topic
    type: str
    subject: UUID | str
    version: int
    payload: Payload
    episode: int | None = None
    rule_set: str | None = None
    effective_from: date | None = None
    causation_id: str | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """The event a handler reacts to: its correlation id and its own id travel on."""

    correlation_id: str
    event_id: str


_causes: ContextVar[Mapping[str, Cause] | None] = ContextVar("event_causes", default=None)
_relays: set[asyncio.Event] = set()


@contextmanager
def caused_by(causes: Mapping[str, Cause]) -> Iterator[None]:
    """Events published inside whose key is in ``causes`` carry that cause's ids."""
    token = _causes.set(causes)
    try:
        yield
    finally:
        _causes.reset(token)


@contextmanager
def waking(relay: asyncio.Event) -> Iterator[None]:
    """While inside, every commit of this process that published something sets ``relay``."""
    _relays.add(relay)
    try:
        yield
    finally:
        _relays.discard(relay)


@lru_cache(maxsize=65_536)
def partition_of(key: str, partitions: int) -> int:
    """The partition Java's default partitioner picks, so that every client agrees.

    ``partition_of("33112410100001", 12)`` is the same today and in any other process.
    """
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


async def publish(session: AsyncSession, events: Sequence[NewEvent]) -> None:
    """Write ``events`` to the history and the outbox in one statement.

    Call it after the domain write, under its row lock: for one aggregate the outbox's order is
    then the order of versions, over several calls in one request as well (``Write.in_order``).
    Nothing is sent unless the caller's transaction commits.
    Raises errors.TooLarge (413) for a payload over MAX_DATA_BYTES before anything is written.
    """
    if not events:
        return
    await write_at_the_end(session, Write(_OUTBOX, _columns(events), _BEFORE, in_order=True))
    if _relays and isinstance(session, Transaction):
        session.after_commit(_wake)


def _wake() -> None:
    for relay in _relays:
        relay.set()


def _columns(events: Sequence[NewEvent]) -> list[list[object]]:
    """The events as one array a column, for a statement that stays the same at any number."""
    causes = _causes.get() or {}
    request_correlation = logs.correlation_id()
    traceparent = logs.traceparent()
    now = clock.now()
    rows = []
    for one in events:
        key = str(getattr(one.payload, one.payload.TOPIC_KEY))
        cause = causes.get(key)
        rows.append(
            (
                identity.new_id(),
                one.topic.name,
                partition_of(key, one.topic.partitions),
                key,
                f"/{one.topic.writer}",
                str(one.type),
                str(one.subject),
                one.version,
                one.episode,
                one.rule_set,
                one.effective_from,
                one.correlation_id or (cause.correlation_id if cause else request_correlation),
                one.causation_id or (cause.event_id if cause else None),
                traceparent,
                now,
                _serialised(one),
            )
        )
    return [list(column) for column in zip(*rows, strict=True)]


def _serialised(one: NewEvent) -> bytes:
    """The payload's JSON: made once, the same bytes in history, Kafka and the listener's hands."""
    data = one.payload.model_dump_json().encode()
    if len(data) > MAX_DATA_BYTES:
        raise errors.TooLarge(
            "event_too_large",
            f"the event {one.type} of {one.subject} would be {len(data):,} bytes; "
            f"at most {MAX_DATA_BYTES:,} can be published: split what it describes",
        )
    return data


_TYPES = {
    "event_id": "uuid",
    "topic": "text",
    "kafka_partition": "smallint",
    "key": "text",
    "source": "text",
    "type": "text",
    "subject": "text",
    "aggregate_version": "bigint",
    "episode": "integer",
    "rule_set": "text",
    "effective_from": "date",
    "correlation_id": "text",
    "causation_id": "text",
    "traceparent": "text",
    "occurred_at": "timestamptz",
    "data": "bytea",
}
_LIST = ", ".join(_TYPES)
_ARRAYS = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_TYPES.values(), start=1))

# The api role may read back only id and recorded_at, so topic and partition are joined by position:
# an INSERT draws its identity values in the order of its sub-select. The outbox's ids are drawn
# when the transaction has its number already (statements before this one locked or wrote the
# domain's rows, and the history is written first); the relay's floor depends on that.
_BEFORE = (
    (
        "incoming_#",
        f"""MATERIALIZED (
            SELECT * FROM unnest({_ARRAYS}) WITH ORDINALITY AS given({_LIST}, position)
        )""",  # noqa: S608 - only the constant names and types above are put in
    ),
    (
        "written_#",
        f"""(
            INSERT INTO events (recorded_at, {_LIST})
            SELECT clock_timestamp(), {_LIST} FROM incoming_# ORDER BY position
            RETURNING id, recorded_at
        )""",  # noqa: S608 - only the constant names and types above are put in
    ),
    (
        "placed_#",
        """(
            SELECT id, recorded_at, row_number() OVER (ORDER BY id) AS position FROM written_#
        )""",
    ),
)
_OUTBOX = """
    INSERT INTO outbox (event_id, recorded_at, topic, kafka_partition)
    SELECT placed_#.id, placed_#.recorded_at, incoming_#.topic, incoming_#.kafka_partition
    FROM placed_# JOIN incoming_# USING (position)
    ORDER BY position
"""
