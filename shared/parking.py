"""Parked messages: what could not be handled, with the reason, and everything behind it.

A message that fails parks its aggregate, so that its later events keep their place behind it;
all other aggregates flow. An operator shows, re-drives (after the fault is mended) or discards.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Row,
    SmallInteger,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.contracts.envelope import Envelope, Headers
from shared.db import driver_of, platform_metadata

GATE = 0x7061726B  # "park": held shared by every batch, exclusively by who re-drives or discards

BEHIND = "behind an earlier parked event of the same aggregate"

parked = Table(
    "parked",
    platform_metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("kafka_partition", SmallInteger, nullable=False),
    Column("kafka_offset", BigInteger, nullable=False),
    Column("source", Text),
    Column("aggregate_id", Text),
    Column("aggregate_version", BigInteger),
    Column("type", Text),
    Column("key", Text),
    Column("headers", JSONB, nullable=False),
    Column("data", LargeBinary),
    Column("reason", Text, nullable=False),
    Column(
        "parked_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
    ),
    Column("state", Text, nullable=False, server_default="parked"),
    Column("resolved_by", Text),
    Column("resolved_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('parked', 'redriven', 'discarded')", name="known_state"),
    Index(None, "source", "aggregate_id", postgresql_where=text("state = 'parked'")),
)


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One Kafka record as it came in; ``envelope`` is None where it could not be read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    envelope: Envelope | None = None
    parked_id: int | None = None

    @property
    def aggregate(self) -> tuple[str, str]:
        """(source, aggregate id). Raises ValueError where the envelope could not be read."""
        if self.envelope is None:
            raise ValueError("a broken envelope names no aggregate")
        return self.envelope.source, self.envelope.subject

    @property
    def version(self) -> int:
        """The aggregate's version. Raises ValueError where the envelope could not be read."""
        if self.envelope is None:
            raise ValueError("a broken envelope names no version")
        return self.envelope.aggregate_version


@dataclass(frozen=True, slots=True)
class Failure:
    """An arrival that cannot be handled, and why in one line."""

    arrival: Arrival
    reason: str


async def park(session: AsyncSession, failures: Sequence[Failure]) -> None:
    """Keep these messages, in the transaction that moves the offset past them."""
    if failures:
        now = clock.now()
        await session.execute(insert(parked), [_row(each, now) for each in failures])


def _row(failure: Failure, now: datetime) -> dict[str, Any]:
    arrival = failure.arrival
    envelope = arrival.envelope
    return {
        "topic": arrival.topic,
        "kafka_partition": arrival.partition,
        "kafka_offset": arrival.offset,
        "source": envelope.source if envelope else None,
        "aggregate_id": envelope.subject if envelope else None,
        "aggregate_version": envelope.aggregate_version if envelope else None,
        "type": envelope.type if envelope else None,
        "key": None if arrival.key is None else _plain(arrival.key),
        "headers": [[name, _header_text(value)] for name, value in arrival.headers],
        "data": arrival.value,
        "reason": failure.reason.replace("\x00", "\ufffd"),
        "parked_at": now,
    }


def _plain(raw: bytes) -> str:
    return raw.decode(errors="replace").replace("\x00", "\ufffd")


def _header_text(value: bytes | None) -> str | dict[str, str] | None:
    """A header as text where it is text, else as base64: jsonb holds neither bytes nor NUL."""
    if value is None:
        return None
    try:
        decoded = value.decode()
    except UnicodeDecodeError:
        decoded = "\x00"
    return {"base64": base64.b64encode(value).decode()} if "\x00" in decoded else decoded


def _header_bytes(stored: str | dict[str, str]) -> bytes:
    return base64.b64decode(stored["base64"]) if isinstance(stored, dict) else stored.encode()


def arrival_of(row: Row[Any]) -> Arrival:
    """The message as it came in, read back from its parked row."""
    return Arrival(
        topic=row.topic,
        partition=row.kafka_partition,
        offset=row.kafka_offset,
        key=None if row.key is None else row.key.encode(),
        value=row.data,
        headers=[(name, _header_bytes(value)) for name, value in row.headers if value is not None],
        parked_id=row.id,
    )


async def blocked(
    session: AsyncSession, aggregates: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Those of ``aggregates`` with a message still parked: what follows must wait behind it."""
    pairs = sorted(set(aggregates))
    rows = await driver_of(session).fetch(
        _BLOCKED, [source for source, _ in pairs], [name for _, name in pairs]
    )
    return {(row["source"], row["aggregate_id"]) for row in rows}


async def close_gate(session: AsyncSession) -> None:
    """Keep every batch out until this transaction ends, so that nothing parks meanwhile."""
    await session.execute(select(func.pg_advisory_xact_lock(GATE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """A choice among parked messages; what is left out does not narrow it."""

    ids: Sequence[int] | None = None
    aggregate_id: str | None = None
    topic: str | None = None
    reason: str | None = None
    """Part of the reason's text."""

    def conditions(self) -> list[Any]:
        """The choice as SQL conditions on ``parked``."""
        wanted = [parked.c.state == "parked"]
        if self.ids is not None:
            wanted.append(parked.c.id == any_(_array(self.ids)))
        if self.aggregate_id is not None:
            wanted.append(parked.c.aggregate_id == self.aggregate_id)
        if self.topic is not None:
            wanted.append(parked.c.topic == self.topic)
        if self.reason is not None:
            wanted.append(parked.c.reason.contains(self.reason, autoescape=True))
        return wanted


def _array(ids: Sequence[int]) -> Any:
    # one parameter however many there are: a statement takes 32,767
    return bindparam(None, list(ids), type_=ARRAY(BigInteger), unique=True)


async def chosen_ids(session: AsyncSession, which: Which) -> list[int]:
    """The numbers of all chosen messages, oldest first."""
    found = select(parked.c.id).where(*which.conditions()).order_by(parked.c.id)
    return list(await session.scalars(found))


async def listing(session: AsyncSession, which: Which, *, limit: int = 100) -> list[Row[Any]]:
    """Parked messages, oldest first, without their payload."""
    columns = [column for column in parked.c if column.name not in {"data", "headers"}]
    found = select(*columns).where(*which.conditions()).order_by(parked.c.id).limit(limit)
    return list(await session.execute(found))


async def show(session: AsyncSession, parked_id: int) -> Row[Any] | None:
    """One parked message in whatever state, with headers and payload."""
    return (await session.execute(select(parked).where(parked.c.id == parked_id))).one_or_none()


async def chosen_with_followers(session: AsyncSession, which: Which) -> list[Arrival]:
    """The chosen messages and all that is parked with them, in the order of their versions.

    An aggregate is re-driven whole: a follower left behind would block it again.
    """
    conditions = which.conditions()
    aggregates = select(parked.c.source, parked.c.aggregate_id).where(*conditions)
    rows = await session.execute(
        select(parked)
        .where(
            parked.c.state == "parked",
            or_(
                and_(*conditions),
                tuple_(parked.c.source, parked.c.aggregate_id).in_(aggregates),
            ),
        )
        .order_by(
            parked.c.source,
            parked.c.aggregate_id,
            parked.c.aggregate_version.nulls_first(),
            parked.c.id,
        )
    )
    return [arrival_of(row) for row in rows]


async def resolve(session: AsyncSession, ids: Sequence[int], *, state: str, actor: str) -> None:
    """Mark parked messages ``redriven`` or ``discarded``, by whom and when."""
    await session.execute(
        update(parked)
        .where(parked.c.id == any_(_array(ids)), parked.c.state == "parked")
        .values(state=state, resolved_by=actor, resolved_at=clock.now())
    )


async def restate(session: AsyncSession, reasons: Mapping[int, str]) -> None:
    """Write down why a re-driven message has failed again."""
    for parked_id, reason in reasons.items():
        await session.execute(update(parked).where(parked.c.id == parked_id).values(reason=reason))


_BLOCKED = """
    SELECT DISTINCT source, aggregate_id FROM parked
    WHERE state = 'parked' AND (source, aggregate_id) IN (
        SELECT * FROM unnest($1::text[], $2::text[]))
"""
