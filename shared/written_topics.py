"""Looks after the topics a service writes: one that was made anew gets its history again.

Whatever the old topic held and a listener had not read is gone with it; the newest state of every
aggregate, sent again, makes up for all of it. Nothing else could: only the writer has the history.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from sqlalchemy import BigInteger, Column, Table, Text, Uuid, text

from shared import audit, logs, topic_ids
from shared.auth import system_caller
from shared.contracts.topics import TOPICS
from shared.db import Database, platform_metadata
from shared.replay import CHUNK, Selection, replay_chunk
from shared.trouble import passes
from shared.waiting import pause

LOOK_EVERY = 10.0

written_topics = Table(
    "written_topics",
    platform_metadata,
    Column("topic", Text, primary_key=True),
    Column("topic_id", Uuid, nullable=False),
    Column("replay_after", BigInteger),
)
"""``replay_after`` is the last history id of a replay under way; null when there is none."""

_log = logs.get("topics")


class WrittenTopics:
    """Compares Kafka's ids of a service's own topics with those it knows, until told to stop.

    Two workers may do it at once: they share the chunks of a replay. One that was broken off is
    gone on with.
    """

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        bootstrap_servers: str,
        topic_prefix: str = "",
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._service = service
        self._database = database
        self._bootstrap = bootstrap_servers
        self._prefix = topic_prefix
        self._look_every = look_every
        self._names = [topic.name for topic in TOPICS if topic.writer == service]

    async def run(self, stop: asyncio.Event) -> None:
        """Look every ``look_every`` seconds; outlives outages of Kafka and of the database."""
        while not stop.is_set():
            try:
                await self._note(await self._ids())
                await self._replay_all(stop)
            except Exception as error:
                if not isinstance(error, KafkaError | OSError | TimeoutError) and not passes(error):
                    raise
            await pause(stop, self._look_every)

    async def _ids(self) -> dict[str, UUID]:
        client = AIOKafkaClient(
            bootstrap_servers=self._bootstrap,
            client_id=f"{self._service}-topics",
            request_timeout_ms=8_000,
        )
        try:
            async with asyncio.timeout(15):
                await client.bootstrap()
                found = await topic_ids.ask(client, [self._prefix + name for name in self._names])
        finally:
            with contextlib.suppress(KafkaError, OSError):
                await client.close()
        return {name.removeprefix(self._prefix): topic_id for name, topic_id in found.items()}

    async def _note(self, ids: Mapping[str, UUID]) -> None:
        """Learn new topics; order the replay of those whose id has changed."""
        async with self._database.transaction() as session:
            rows = await session.execute(_NOTE, {"topics": list(ids), "ids": list(ids.values())})
            changed = [row.topic for row in rows if row.replay_after is not None]
            await audit.record(
                session,
                system_caller(self._service),
                action="event.replayed",
                subject_type="topic",
                subject_id=changed,
                detail={"because": "topic_made_anew"},
            )
        for topic in changed:
            _log.error("topics.made_anew", topic=topic, remedy="its history is sent again")

    async def _replay_all(self, stop: asyncio.Event) -> None:
        async with self._database.transaction() as session:
            topics = list(await session.scalars(_UNDER_WAY))
        for topic in topics:
            while not stop.is_set() and await self._replay_some(topic):
                pass

    async def _replay_some(self, topic: str) -> bool:
        """Send the next chunk of a topic's history; whether there may be more."""
        async with self._database.transaction() as session:
            after = await session.scalar(_HOLD, {"topic": topic})
            if after is None:
                return False
            done = await replay_chunk(session, Selection(topic=topic), after_id=after, limit=CHUNK)
            more = done.enqueued == CHUNK
            await session.execute(_MOVE, {"topic": topic, "after": done.last_id if more else None})
        return more


_NOTE = text("""
    INSERT INTO written_topics (topic, topic_id)
    SELECT topic, topic_id
    FROM unnest(CAST(:topics AS text[]), CAST(:ids AS uuid[])) AS known(topic, topic_id)
    ON CONFLICT (topic) DO UPDATE SET topic_id = excluded.topic_id, replay_after = 0
        WHERE written_topics.topic_id <> excluded.topic_id
    RETURNING topic, replay_after
""")
_UNDER_WAY = text("SELECT topic FROM written_topics WHERE replay_after IS NOT NULL")
_HOLD = text("SELECT replay_after FROM written_topics WHERE topic = :topic FOR UPDATE")
_MOVE = text("UPDATE written_topics SET replay_after = :after WHERE topic = :topic")
