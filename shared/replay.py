"""Replay: history goes to the outbox again, to rebuild a topic or to fill a new listener.

Listeners that know a version already drop it; those that do not, take it. The history itself never
changes. Replayed events keep their ids, versions and payload bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import Database

CHUNK = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which events to send again; what is None does not narrow it.

    ``since`` and ``until`` are moments of recording, ``key`` the Kafka key (a household id),
    ``subject`` an aggregate's id. With ``newest_only`` an aggregate comes once, at its newest
    version of all: enough for listeners, since every event carries the whole state.
    """

    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    key: str | None = None
    subject: str | None = None
    newest_only: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """How many events went into the outbox and the last history id among them."""

    enqueued: int
    last_id: int


async def replay(
    database: Database,
    selection: Selection,
    *,
    chunk: int = CHUNK,
    after_id: int = 0,
    tell: Callable[[Progress], None] = lambda _: None,
) -> int:
    """Enqueue all of ``selection`` in transactions of at most ``chunk`` events; gives the number.

    ``tell`` hears the number so far and the last history id, from which one that was broken off may
    go on (``after_id``); run again from the start it does no harm either. Needs the worker's role.
    """
    total, last_id = 0, after_id
    while True:
        async with database.transaction() as session:
            done = await replay_chunk(session, selection, after_id=last_id, limit=chunk)
        total, last_id = total + done.enqueued, done.last_id
        tell(Progress(total, last_id))
        if done.enqueued < chunk:
            return total


async def replay_chunk(
    session: AsyncSession, selection: Selection, *, after_id: int, limit: int
) -> Progress:
    """Enqueue the next ``limit`` events of ``selection`` after history id ``after_id``."""
    # The transaction must have its number before it draws outbox ids: the relay's floor relies on
    # it, and a bare INSERT ... SELECT would draw the first id earlier.
    await session.execute(text("SELECT pg_current_xact_id()"))
    row = (
        await session.execute(
            _ENQUEUE,
            {
                "topic": selection.topic,
                "since": selection.since,
                "until": selection.until,
                "key": selection.key,
                "subject": selection.subject,
                "newest_only": selection.newest_only,
                "after_id": after_id,
                "limit": limit,
            },
        )
    ).one()
    return Progress(row.enqueued, row.last_id or after_id)


_ENQUEUE = text("""
    WITH chosen AS MATERIALIZED (
        SELECT id, recorded_at, topic, kafka_partition FROM events AS e
        WHERE id > :after_id
            AND (CAST(:topic AS text) IS NULL OR topic = :topic)
            AND (CAST(:since AS timestamptz) IS NULL OR recorded_at >= :since)
            AND (CAST(:until AS timestamptz) IS NULL OR recorded_at < :until)
            AND (CAST(:key AS text) IS NULL OR key = :key)
            AND (CAST(:subject AS text) IS NULL OR subject = :subject)
            AND (NOT CAST(:newest_only AS boolean) OR NOT EXISTS (
                SELECT FROM events AS newer
                WHERE newer.subject = e.subject AND newer.source = e.source
                    AND newer.aggregate_version > e.aggregate_version))
        ORDER BY id LIMIT :limit
    ), enqueued AS (
        INSERT INTO outbox (event_id, recorded_at, topic, kafka_partition)
        SELECT id, recorded_at, topic, kafka_partition FROM chosen ORDER BY id
        RETURNING event_id
    )
    SELECT count(*) AS enqueued, max(event_id) AS last_id FROM enqueued
""")
