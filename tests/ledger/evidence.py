"""Everything the checks look at, read once after the run: both ends of every hop and Kafka between.

Kafka is read by librdkafka, which shares no code with the client under test.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
from confluent_kafka import Consumer, TopicPartition
from sqlalchemy import text

from shared import household_copy
from shared.contracts.topics import TOPICS
from shared.db import Database
from tests.ledger.stack import SERVICES, Stack

Aggregate = tuple[str, str]
"""A source and an aggregate's id."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a source's history."""

    topic: str
    type: str
    source: str
    subject: str
    version: int
    digest: bytes
    operation: str
    at: datetime
    data: bytes


@dataclass(frozen=True, slots=True)
class Copy:
    """One record in Kafka."""

    topic: str
    partition: int
    offset: int
    source: str
    subject: str
    version: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """A row that a listener's guard or copy took."""

    place: str
    source: str
    subject: str
    version: int
    at: datetime


@dataclass(slots=True)
class Listener:
    """What a listener holds."""

    received: dict[Aggregate, int]
    seen: list[Seen]
    went_back: list[dict[str, Any]]
    parked: list[dict[str, Any]]


@dataclass(slots=True)
class Evidence:
    """Both ends and the middle. ``events`` are in the order of their history ids, by source."""

    events: dict[str, list[Event]] = field(default_factory=dict)
    copies: list[Copy] = field(default_factory=list)
    listeners: dict[str, Listener] = field(default_factory=dict)
    outbox: dict[str, int] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Rows of single tables, by ``service.table``."""


_TABLES = {
    "registry.income_checks": "SELECT check_id, note FROM income_checks",
    "registry.audit_log": "SELECT action, correlation_id FROM audit_log",
    "registry.aid_ledger": "SELECT source, assistance_id, household_id, programme, month, amount, "
    "status, version FROM aid_ledger",
    "relief.payments": "SELECT payment_id, payee_household_id, programme, month, amount, status, "
    "version, run_id FROM payments",
    "relief.payment_beneficiaries": "SELECT payment_id, person_id, programme, month "
    "FROM payment_beneficiaries",
    "relief.audit_log": "SELECT action, correlation_id FROM audit_log",
    "registry.households": "SELECT household_id, version FROM households",
}


async def gather(stack: Stack) -> Evidence:
    """Read it all, past the proxies."""
    found = Evidence()
    for service in SERVICES:
        connection = await asyncpg.connect(stack.database_url(service))
        try:
            found.events[service] = await _events(connection)
            found.listeners[service] = await _listener(connection)
            found.outbox[service] = await connection.fetchval("SELECT count(*) FROM outbox")
            for name, query in _TABLES.items():
                if name.startswith(f"{service}."):
                    found.rows[name] = [dict(row) for row in await connection.fetch(query)]
            if service != "registry":
                found.rows[f"{service}.household_copy"] = await _copies(stack, service)
        finally:
            await connection.close()
    found.copies = read_kafka(stack.brokers.address)
    return found


async def _copies(stack: Stack, service: str) -> list[dict[str, Any]]:
    """A listener's copy of every household: version and state, as its own code reads it."""
    database = Database(stack.databases[service].worker_url, application_name="ledger", pool_size=1)
    try:
        async with database.transaction() as session:
            rows = (
                await session.execute(text("SELECT household_id, version FROM household_copy"))
            ).all()
            states = await household_copy.load(session, [row.household_id for row in rows])
    finally:
        await database.close()
    versions = {row.household_id: row.version for row in rows}
    return [
        {
            "household_id": state.household_id,
            "version": versions[state.household_id],
            "state": state,
        }
        for state in states
    ]


async def _events(connection: "asyncpg.Connection[Any]") -> list[Event]:
    rows = await connection.fetch(
        "SELECT topic, type, source, subject, aggregate_version, correlation_id, recorded_at, data "
        "FROM events ORDER BY id"
    )
    return [
        Event(
            topic=row["topic"],
            type=row["type"],
            source=row["source"],
            subject=row["subject"],
            version=row["aggregate_version"],
            digest=hashlib.sha256(row["data"]).digest(),
            operation=row["correlation_id"],
            at=row["recorded_at"],
            data=row["data"],
        )
        for row in rows
    ]


async def _listener(connection: "asyncpg.Connection[Any]") -> Listener:
    received = await connection.fetch("SELECT source, aggregate_id, version FROM received")
    seen = await connection.fetch(
        "SELECT place, source, aggregate_id, version, at FROM witness.seen ORDER BY id"
    )
    back = await connection.fetch("SELECT * FROM witness.went_back")
    parked = await connection.fetch(
        "SELECT source, aggregate_id, aggregate_version, state, reason FROM parked"
    )
    return Listener(
        received={(row["source"], row["aggregate_id"]): row["version"] for row in received},
        seen=[Seen(*row) for row in seen],
        went_back=[dict(row) for row in back],
        parked=[dict(row) for row in parked],
    )


def read_kafka(address: str) -> list[Copy]:
    """Every record of every topic from its first to its present last offset."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": f"ledger-{uuid4()}",
            "enable.auto.commit": False,
            "log_level": 0,
            "auto.offset.reset": "error",
        }
    )
    try:
        return list(_all_records(consumer))
    finally:
        consumer.close()


def _all_records(consumer: Consumer) -> Iterator[Copy]:
    begins, left = [], 0
    for topic in TOPICS:
        for number in range(topic.partitions):
            first, end = consumer.get_watermark_offsets(TopicPartition(topic.name, number), 20)
            begins.append(TopicPartition(topic.name, number, first))
            left += end - first
    consumer.assign(begins)
    while left:
        # it waits for all that it is asked for, so no more is asked for than is there
        messages = consumer.consume(min(2_000, left), timeout=20)
        if not messages:
            raise TimeoutError(f"Kafka gives no more records, and {left} are missing")
        for message in messages:
            if (error := message.error()) is not None:
                raise RuntimeError(f"{message.topic()}/{message.partition()}: {error.str()}")
            yield _copy(message)
        left -= len(messages)


def _copy(message: Any) -> Copy:
    headers: Sequence[tuple[str, bytes]] = message.headers() or []
    said = {name: value.decode() for name, value in headers}
    return Copy(
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        source=said["ce_source"],
        subject=said["ce_subject"],
        version=int(said["ce_aggregateversion"]),
        digest=hashlib.sha256(message.value()).digest(),
    )
