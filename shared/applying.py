"""A batch of messages becomes one transaction: guard, handlers, parking and the Kafka offset.

Every message has its effect once or is parked, whatever is repeated, late or broken: the offset
row moves in the transaction of the effect, and ``received`` lets an aggregate's version only rise.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Column, DateTime, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import events, parking
from shared.contracts.envelope import BrokenEnvelopeError, Envelope
from shared.contracts.topics import Topic
from shared.db import driver_of, platform_metadata, savepoint
from shared.parking import Arrival, Failure
from shared.producer import Place
from shared.trouble import passes, reason_of

received = Table(
    "received",
    platform_metadata,
    Column("source", Text, primary_key=True),
    Column("aggregate_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

consumer_offsets = Table(
    "consumer_offsets",
    platform_metadata,
    Column("topic", Text, primary_key=True),
    Column("kafka_partition", SmallInteger, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("topic_id", Uuid),
    Column("began_again_at", DateTime(timezone=True)),
)
"""``topic_id`` is Kafka's id of the topic the offset counts in (see topic_ids.py);
``began_again_at`` when the partition last began anew because its topic had been made anew."""

Handler = Callable[[AsyncSession, Sequence[Envelope]], Awaitable[None]]
"""Applies one topic's newest envelopes, one an aggregate, in the caller's transaction.

Must not commit. An error that does not pass by itself parks the message it belongs to, found by
running the handler again on parts of the batch under savepoints.
"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic a service listens to, the event types it knows there, and what it does with them.

    Other types are skipped and counted: an older listener must survive a newer writer.
    """

    topic: Topic
    types: frozenset[str]
    handlers: Sequence[Handler]


@dataclass(slots=True)
class Tally:
    """What one committed transaction did, by topic, for the metrics."""

    applied: Counter[str] = field(default_factory=Counter)
    stale: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    parked: Counter[str] = field(default_factory=Counter)


class NotWholeError(Exception):
    """Something in the batch has to be parked: which one, only savepoints can tell."""


class Applier:
    """Applies messages of the subscribed topics within a transaction that the caller commits."""

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self.topics: dict[str, Topic] = {s.topic.name: s.topic for s in subscriptions}
        self._handlers: dict[str, list[tuple[frozenset[str], Handler]]] = {}
        for each in subscriptions:
            self._handlers.setdefault(each.topic.name, []).extend(
                (each.types, handler) for handler in each.handlers
            )
        self._known = {
            name: frozenset().union(*(types for types, _ in handlers))
            for name, handlers in self._handlers.items()
        }

    async def take(
        self, session: AsyncSession, arrivals: Sequence[Arrival], *, whole: bool = False
    ) -> Tally:
        """Apply new arrivals; park what is broken, what fails and what follows something parked.

        ``whole`` saves the savepoints, for nearly always nothing fails: it raises NotWholeError
        where a handler did. Roll back then and take the batch again without it.
        Raises else only what passes by itself: roll back, wait, and take the batch again.
        """
        tally = Tally()
        readable, failures = self._read(arrivals, tally)
        if readable:
            blocked = await parking.blocked(session, (each.aggregate for each in readable))
            free = [each for each in readable if each.aggregate not in blocked]
            failures += [
                Failure(each, parking.BEHIND) for each in readable if each.aggregate in blocked
            ]
            apply = self._apply_whole if whole else self._apply
            failures += await apply(session, _histories(free), tally)
        await parking.park(session, failures)
        tally.parked.update(each.arrival.topic for each in failures)
        return tally

    async def retake(
        self, session: AsyncSession, arrivals: Sequence[Arrival]
    ) -> tuple[Tally, list[Failure]]:
        """Apply parked arrivals again; what fails is given back with its reason."""
        tally = Tally()
        readable, failures = self._read(arrivals, tally)
        failures += await self._apply(session, _histories(readable), tally)
        return tally, failures

    def _read(
        self, arrivals: Sequence[Arrival], tally: Tally
    ) -> tuple[list[Arrival], list[Failure]]:
        readable, broken = [], []
        for each in arrivals:
            try:
                each.envelope = Envelope.from_record(each.key, each.value, each.headers)
            except BrokenEnvelopeError as error:
                broken.append(Failure(each, f"broken envelope: {error}"))
                continue
            if each.envelope.type in self._known[each.topic]:
                readable.append(each)
            else:
                tally.unknown[each.topic] += 1
        return readable, broken

    async def _apply_whole(
        self, session: AsyncSession, histories: Sequence[list[Arrival]], tally: Tally
    ) -> list[Failure]:
        try:
            fresh = await self._write(session, [history[-1] for history in histories])
        except Exception as error:
            if passes(error):
                raise
            raise NotWholeError from error
        _count(histories, fresh, tally)
        return []

    async def _apply(
        self, session: AsyncSession, histories: Sequence[list[Arrival]], tally: Tally
    ) -> list[Failure]:
        """Write the newest of every history; on an error halve until those at fault are alone."""
        if not histories:
            return []
        try:
            async with savepoint(session):
                fresh = await self._write(session, [history[-1] for history in histories])
        except Exception as error:
            if passes(error):
                raise
            if len(histories) == 1:
                return await self._apply_one_by_one(session, histories[0], error, tally)
            middle = len(histories) // 2
            return [
                *await self._apply(session, histories[:middle], tally),
                *await self._apply(session, histories[middle:], tally),
            ]
        _count(histories, fresh, tally)
        return []

    async def _apply_one_by_one(
        self, session: AsyncSession, history: list[Arrival], error: Exception, tally: Tally
    ) -> list[Failure]:
        """The newest version failed: go as far as the older ones of this batch can, and park."""
        for position, arrival in enumerate(history[:-1]):
            try:
                async with savepoint(session):
                    fresh = await self._write(session, [arrival])
            except Exception as earlier:
                if passes(earlier):
                    raise
                behind = [Failure(each, parking.BEHIND) for each in history[position + 1 :]]
                return [Failure(arrival, reason_of(earlier)), *behind]
            _count([[arrival]], fresh, tally)
        return [Failure(history[-1], reason_of(error))]

    async def _write(
        self, session: AsyncSession, newest: Sequence[Arrival]
    ) -> set[tuple[str, str]]:
        """Pass the guard, then run each topic's handlers on what is newer than what is stored."""
        fresh = await _pass_guard(session, newest) if newest else set()
        envelopes: dict[str, list[Envelope]] = {}
        causes: dict[str, events.Cause] = {}
        for each in newest:
            if each.aggregate in fresh and each.envelope is not None:
                envelopes.setdefault(each.topic, []).append(each.envelope)
                causes[each.envelope.key] = events.Cause(
                    each.envelope.correlation_id, str(each.envelope.id)
                )
        with events.caused_by(causes):
            for topic, batch in envelopes.items():
                await self._handle(session, topic, batch)
        return fresh

    async def _handle(self, session: AsyncSession, topic: str, batch: Sequence[Envelope]) -> None:
        for types, handler in self._handlers[topic]:
            meant = batch if types == self._known[topic] else [e for e in batch if e.type in types]
            if meant:
                await handler(session, meant)


def _histories(arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    """The arrivals of each aggregate in the order of their versions."""
    found: dict[tuple[str, str], list[Arrival]] = {}
    for each in arrivals:
        found.setdefault(each.aggregate, []).append(each)
    for history in found.values():
        if len(history) > 1:
            history.sort(key=lambda each: each.version)
    return list(found.values())


def _count(histories: Sequence[list[Arrival]], fresh: set[tuple[str, str]], tally: Tally) -> None:
    for history in histories:
        newest = history[-1]
        tally.stale[newest.topic] += len(history) - 1
        (tally.applied if newest.aggregate in fresh else tally.stale)[newest.topic] += 1


async def _pass_guard(session: AsyncSession, newest: Sequence[Arrival]) -> set[tuple[str, str]]:
    """Raise each aggregate's version where ours is newer; give the aggregates that passed."""
    # Sorted, so that two members in a rebalance lock the rows in the same order.
    rows = sorted((*each.aggregate, each.version) for each in newest)
    sources, ids, versions = zip(*rows, strict=True)
    passed = await driver_of(session).fetch(_GUARD, sources, ids, versions)
    return {(row["source"], row["aggregate_id"]) for row in passed}


async def lock_offsets(session: AsyncSession, places: Sequence[Place]) -> dict[Place, int]:
    """The next offset to apply of each place, locked until the transaction ends.

    The lock fences a member that has lost the partition without knowing it. Also keeps the gate of
    parking open for this transaction.
    """
    rows = await driver_of(session).fetch(_LOCK_OFFSETS, *_columns(places), parking.GATE)
    return {Place(row["topic"], row["kafka_partition"]): row["next_offset"] for row in rows}


async def stored_offsets(session: AsyncSession, topics: Sequence[str]) -> dict[Place, int]:
    """The next offset to apply of every partition known so far."""
    rows = await session.execute(_OFFSETS, {"topics": list(topics)})
    return {Place(row.topic, row.kafka_partition): row.next_offset for row in rows}


async def start_offsets(session: AsyncSession, first: Mapping[Place, int]) -> None:
    """Begin partitions never seen before at their first offset; known ones stay."""
    await driver_of(session).execute(_START, *_columns(list(first)), list(first.values()))


async def move_offsets(session: AsyncSession, following: Mapping[Place, int]) -> None:
    """The next batch of these places begins here."""
    places = sorted(following)
    offsets = [following[place] for place in places]
    await driver_of(session).execute(_MOVE, *_columns(places), offsets)


def _columns(places: Sequence[Place]) -> tuple[list[str], list[int]]:
    return [place.topic for place in places], [place.partition for place in places]


_GUARD = """
    INSERT INTO received (source, aggregate_id, version)
    SELECT * FROM unnest($1::text[], $2::text[],
                         $3::bigint[])
    ON CONFLICT (source, aggregate_id) DO UPDATE SET version = excluded.version
        WHERE received.version < excluded.version
    RETURNING source, aggregate_id
"""

_LOCK_OFFSETS = """
    WITH gate AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared($3::bigint) AS held)
    SELECT stored.topic, stored.kafka_partition, stored.next_offset
    FROM gate, consumer_offsets AS stored
    WHERE (stored.topic, stored.kafka_partition) IN (
        SELECT * FROM unnest($1::text[], $2::smallint[]))
    ORDER BY stored.topic, stored.kafka_partition
    FOR UPDATE OF stored
"""

_OFFSETS = text("""
    SELECT topic, kafka_partition, next_offset FROM consumer_offsets
    WHERE topic = ANY (CAST(:topics AS text[]))
""")

_START = """
    INSERT INTO consumer_offsets (topic, kafka_partition, next_offset)
    SELECT * FROM unnest($1::text[], $2::smallint[],
                         $3::bigint[])
    ON CONFLICT DO NOTHING
"""

_MOVE = """
    UPDATE consumer_offsets AS stored SET next_offset = moved.next_offset
    FROM unnest($1::text[], $2::smallint[],
                $3::bigint[]) AS moved(topic, kafka_partition, next_offset)
    WHERE stored.topic = moved.topic AND stored.kafka_partition = moved.kafka_partition
"""
