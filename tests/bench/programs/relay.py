"""``python -m tests.bench.programs.relay RESULT DATABASE_URL BOOTSTRAP PREFIX EVENTS``.

The service's own relay as the worker runs it, until Kafka has acknowledged so many events.
"""

import asyncio
import sys
import time

import uvloop

from shared import worker
from shared.relay import SENT, Relay
from tests.bench.alone import write_answer
from tests.support.waiting import until

SERVICE = "relief"


async def main(result: str, url: str, bootstrap: str, prefix: str, count: str) -> None:
    """Drain the outbox."""
    events = int(count)
    stop = asyncio.Event()
    relay = Relay(
        service=SERVICE, database_url=url, bootstrap_servers=bootstrap, topic_prefix=prefix
    )
    sent = SENT.labels(SERVICE)
    started = time.perf_counter()
    running = asyncio.create_task(relay.run(stop))

    async def drained() -> bool:
        return running.done() or sent._value.get() >= events

    await until(drained, what="the outbox to be empty", seconds=600, every=0.01)
    seconds = time.perf_counter() - started
    stop.set()
    await running
    write_answer(result, seconds=seconds)


if __name__ == "__main__":
    worker._spare_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
