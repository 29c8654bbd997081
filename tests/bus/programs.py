"""The relay or the listener as a process of its own, so that a test can kill it with -9.

``python -m tests.bus.programs relay|consumer DATABASE_URL BOOTSTRAP PREFIX MEMBER``
"""

import asyncio
import sys

from shared.consumer import Consumer
from shared.db import Database
from shared.relay import Relay
from tests.bus.notes import SUBSCRIPTIONS


async def main(kind: str, url: str, bootstrap: str, prefix: str, member: str) -> None:
    """Run until killed."""
    stop = asyncio.Event()
    if kind == "relay":
        relay = Relay(
            service="housing",
            database_url=url,
            bootstrap_servers=bootstrap,
            topic_prefix=prefix,
        )
        await relay.run(stop)
    else:
        consumer = Consumer(
            service="education",
            database=Database(url, application_name="test", pool_size=3),
            subscriptions=SUBSCRIPTIONS,
            bootstrap_servers=bootstrap,
            topic_prefix=prefix,
            member=member,
            session_timeout=6.0,
        )
        await consumer.run(stop)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
