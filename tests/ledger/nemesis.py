"""Does one harm after another, and measures after each how long the path took to flow again."""

import asyncio
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from shared.contracts.topics import TOPICS
from tests.ledger.faults import FAULTS, LOSS, Fault, Harm
from tests.ledger.stack import SERVICES, Stack, listens_to

_TOGETHER = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A fault that was done and how long the path took afterwards, in seconds."""

    fault: str
    of: str
    seconds: float
    within: float

    @property
    def in_time(self) -> bool:
        """Whether it was as fast as that kind of fault must be."""
        return self.seconds <= self.within

    def patiently(self, times: float) -> "Recovery":
        """The same with so many times the limit."""
        return replace(self, within=self.within * times)


class Nemesis:
    """Deals faults from a deck that a seed has shuffled, now and then two at a time."""

    def __init__(
        self, stack: Stack, flow: "Flow", seed: int, *, volumes: bool, only: Iterable[str] = ()
    ) -> None:
        self._chance = random.Random(f"{seed}/nemesis")  # noqa: S311 - a seeded schedule
        self._harm = Harm(stack, self._chance, volumes)
        self._stack = stack
        self._flow = flow
        self.recoveries: list[Recovery] = []
        able = {"": True, "volumes": volumes, "clocks": stack.clocks.library is not None}
        wanted = set(only)
        known = (*FAULTS, LOSS) if stack.options.nodes > 1 else FAULTS
        chosen = [each for each in known if not wanted or each.name in wanted]
        self.skipped = [each.name for each in chosen if not able[each.needs]]
        self._deck = [each for each in chosen if able[each.needs]]

    async def run(self, until: float) -> None:
        """One fault after another until this moment of the loop's clock."""
        loop = asyncio.get_running_loop()
        for chosen in self._draws():
            if loop.time() > until - 12:
                return
            await self._do(chosen)
            await asyncio.sleep(self._chance.uniform(2, 4))

    def _draws(self) -> Iterator[list[Fault]]:
        while True:
            deck = [each for each in self._deck for _ in range(each.weight)]
            self._chance.shuffle(deck)
            while deck:
                chosen = [deck.pop()]
                others = [each for each in deck if each.target != chosen[0].target]
                if others and self._chance.random() < _TOGETHER:
                    chosen.append(others[-1])
                    deck.remove(others[-1])
                yield chosen

    async def _do(self, chosen: list[Fault]) -> None:
        loop = asyncio.get_running_loop()
        if any(each.target == "kafka" for each in chosen):
            await self.mend()  # two of three nodes away at once is more than was promised
        told = await asyncio.gather(*[each.inflict(self._harm) for each in chosen])
        began = loop.time()
        seconds = await self._flow.until_again()
        self.recoveries.append(
            Recovery(
                fault=" + ".join(each.name for each in chosen),
                of=", ".join(told),
                seconds=round(min(seconds, loop.time() - began), 1),
                within=sum(each.recovers_within for each in chosen),
            )
        )
        self._stack.show.line(
            f"    {self.recoveries[-1].fault} ({self.recoveries[-1].of}): flows again after "
            f"{self.recoveries[-1].seconds} s"
        )
        await self._collect()

    async def _collect(self) -> None:
        """Started nodes are waited for; one on its way back later is left alone."""
        for task in [each for each in self._harm.background if each.done()]:
            task.result()
            self._harm.background.remove(task)

    async def mend(self) -> None:
        """Wait for everything that is still on its way back."""
        await asyncio.gather(*self._harm.background)
        self._harm.background.clear()


class Flow:
    """Whether all that was committed before a moment has reached every listener.

    ``patience`` is for how many seconds that is waited for.
    """

    def __init__(self, stack: Stack, patience: float) -> None:
        self._stack = stack
        self._patience = patience
        self._admin = self._client()

    def _client(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._stack.brokers.address, "log_level": 0})

    def flows(self, seconds: float) -> bool:
        """Whether a wait of so long ended because all had arrived."""
        return seconds < self._patience

    async def until_again(self) -> float:
        """Seconds until everything committed before now is applied or parked everywhere."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._patience):
                moment = await self._now()
                while await self._unsent(moment):  # noqa: ASYNC110 - a database sets no event
                    await asyncio.sleep(0.1)
                ends = await self._ends()
                for service in SERVICES:
                    while await self._behind(service, ends):  # noqa: ASYNC110 - as above
                        await asyncio.sleep(0.1)
        except TimeoutError:
            return self._patience
        return loop.time() - began

    async def _now(self) -> Any:
        while True:
            try:
                return await self._ask("registry", "SELECT clock_timestamp()")
            except _TROUBLE:
                await asyncio.sleep(0.1)

    async def _unsent(self, moment: Any) -> bool:
        query = "SELECT EXISTS (SELECT FROM outbox WHERE enqueued_at < $1)"
        try:
            return any([await self._ask(service, query, moment) for service in SERVICES])
        except _TROUBLE:
            return True

    async def _ends(self) -> dict[tuple[str, int], int]:
        asked = {
            TopicPartition(topic.name, number): OffsetSpec.latest()  # type: ignore[no-untyped-call] # as it ships
            for topic in TOPICS
            for number in range(topic.partitions)
        }
        while True:
            try:
                futures = self._admin.list_offsets(asked, request_timeout=5)
                found = {
                    (tp.topic, tp.partition): await asyncio.wrap_future(future)
                    for tp, future in futures.items()
                }
                return {place: result.offset for place, result in found.items()}
            except KafkaException:
                await asyncio.sleep(0.2)
                # librdkafka asks with the leader's epoch of before a restart, for ever
                self._admin = self._client()

    async def _behind(self, service: str, ends: dict[tuple[str, int], int]) -> bool:
        topics = listens_to(service)
        try:
            rows = await self._ask_all(
                service, "SELECT topic, kafka_partition, next_offset FROM consumer_offsets"
            )
        except _TROUBLE:
            return True
        stored = {(row[0], row[1]): row[2] for row in rows}
        return any(stored.get(place, 0) < end for place, end in ends.items() if place[0] in topics)

    async def _ask(self, service: str, query: str, *values: Any) -> Any:
        return (await self._ask_all(service, query, *values))[0][0]

    async def _ask_all(self, service: str, query: str, *values: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self._stack.database_url(service), timeout=3)
        try:
            return list(await connection.fetch(query, *values, timeout=5))
        finally:
            connection.terminate()


_TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
