"""The writer's and the listener's databases, and the parts of the path between them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.local.provision import ServiceDatabase
from shared.consumer import Consumer
from shared.db import Database
from shared.relay import Relay
from tests.bus import notes
from tests.conftest import DatabaseOf


@dataclass(frozen=True)
class Path:
    """One writer and one listener on a real broker with topics of this test's own."""

    kafka: str
    prefix: str
    writer_at: ServiceDatabase
    listener_at: ServiceDatabase
    writer: Database
    listener: Database

    def relay(self, **changes: Any) -> Relay:
        """The writer's relay, not yet running."""
        given: dict[str, Any] = {
            "service": "housing",
            "database_url": self.writer_at.worker_url,
            "bootstrap_servers": self.kafka,
            "topic_prefix": self.prefix,
        }
        return Relay(**(given | changes))

    def consumer(self, **changes: Any) -> Consumer:
        """A member of the listener's group, not yet running."""
        given: dict[str, Any] = {
            "service": "education",
            "database": self.listener,
            "subscriptions": notes.SUBSCRIPTIONS,
            "bootstrap_servers": self.kafka,
            "topic_prefix": self.prefix,
            "member": "test",
        }
        return Consumer(**(given | changes))


@pytest.fixture
async def path(kafka: str, topics: str, database_of: DatabaseOf) -> AsyncIterator[Path]:
    """See Path. The databases are fresh; nothing runs yet."""
    writer_at = await database_of("housing")
    listener_at = await database_of("education")
    await notes.execute(writer_at.owner_url, notes.PREPARE_WRITER)
    await notes.execute(listener_at.owner_url, notes.PREPARE_LISTENER)
    async with AsyncExitStack() as held:
        databases = [
            Database(at.worker_url, application_name="test", pool_size=4)
            for at in (writer_at, listener_at)
        ]
        for database in databases:
            held.push_async_callback(database.close)
        yield Path(kafka, topics, writer_at, listener_at, *databases)
