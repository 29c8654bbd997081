"""``python -m tests.bench.programs.consumer RESULT SERVICE DATABASE_URL BOOTSTRAP PREFIX EVENTS``.

A service's own consumer with its own handlers, as its worker runs it, until its tables hold so
many events.
"""

import asyncio
import importlib
import sys
import time

import uvloop
from prometheus_client import Counter

from shared import worker
from shared.consumer import APPLIED, PARKED, STALE, Consumer
from shared.db import Database
from tests.bench.alone import write_answer
from tests.support.waiting import until


async def main(result: str, service: str, *place: str) -> None:
    """Catch up."""
    url, bootstrap, prefix, count = place
    subscriptions = importlib.import_module(f"services.{service}.worker").SUBSCRIPTIONS
    topics = {each.topic.name for each in subscriptions}
    stop = asyncio.Event()
    database = Database(url, application_name=f"{service}-worker", pool_size=5)
    consumer = Consumer(
        service=service,
        database=database,
        subscriptions=subscriptions,
        bootstrap_servers=bootstrap,
        topic_prefix=prefix,
        member="bench",
    )

    def taken(*counters: Counter) -> float:
        labelled = (each.labels(service, topic) for each in counters for topic in topics)
        return float(sum(each._value.get() for each in labelled))

    async def caught_up() -> bool:
        return consuming.done() or taken(APPLIED, STALE, PARKED) >= int(count)

    started = time.perf_counter()
    consuming = asyncio.create_task(consumer.run(stop))
    await until(caught_up, what="the consumer to catch up", seconds=900, every=0.01)
    seconds = time.perf_counter() - started
    stop.set()
    await consuming
    await database.close()
    write_answer(result, seconds=seconds, parked=taken(PARKED))


if __name__ == "__main__":
    worker._spare_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
