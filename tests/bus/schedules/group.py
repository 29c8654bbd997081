"""Kafka's consumer group and aiokafka's consumer, as our listener uses it.

Rebalances revoke everything and deal anew. A member that is cut off from the group keeps its
partitions and goes on reading, while another reads them too.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition, errors

from tests.bus.schedules.history import History, Record
from tests.bus.schedules.schedule import Schedule

GROUP_FAULTS = {
    "start fails": 0.2,
    "fetch fails": 0.02,
    "fetch hangs": 0.01,
    "client silent": 0.02,
    "out of range": 0.01,
    "commit refused": 0.3,
    "no end offsets": 0.2,
    "no topic ids": 0.1,
    "no committed offset": 0.1,
    "cut off": 0.7,
    "rebalance": 0.5,
}
REBALANCE_TIMEOUT = 30.0
TROUBLE = (
    errors.KafkaConnectionError,
    errors.NodeNotReadyError,
    errors.UnknownError,
    errors.RequestTimedOutError,
    errors.UnknownMemberIdError,
)


class Group:
    """The coordinator: who is in, and whose each partition is."""

    def __init__(self, schedule: Schedule, history: History) -> None:
        self.schedule = schedule
        self.history = history
        self.committed: dict[TopicPartition, int] = {}
        self.members: list[Member] = []
        self._asked = asyncio.Event()

    def rebalance(self) -> None:
        """Someone came or went: deal anew soon."""
        self._asked.set()

    async def run(self) -> None:
        """Rebalance whenever asked, one rebalance after the other."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self.schedule.pass_time(0.5)
            await self._deal()

    async def _deal(self) -> None:
        taking_part = [member for member in self.members if not member.cut_off]
        for member in taking_part:
            member.wait_for_deal()
        revoking = {
            asyncio.ensure_future(
                member.listener.on_partitions_revoked(member.assignment())
            ): member
            for member in taking_part
        }
        if not revoking:
            return
        _, late = await asyncio.wait(revoking, timeout=REBALANCE_TIMEOUT)
        for task in late:
            revoking[task].cut_off = True
            task.add_done_callback(lambda done: revoking[done].come_back())
        joined = [each for each in taking_part if not each.cut_off and each in self.members]
        await self.schedule.pass_time(1.0)
        partitions = list(self.history.logs)
        self.schedule.random.shuffle(partitions)
        for number, member in enumerate(joined):
            await member.assign(partitions[number :: len(joined)])

    async def disturb(self) -> None:
        """Cut members off and bring them back, or let the group deal anew for no reason."""
        while True:
            await self.schedule.pass_time(10.0)
            if self.members and self.schedule.strikes("cut off"):
                one = self.schedule.random.choice(self.members)
                one.cut_off = True
                self.rebalance()
                asyncio.get_running_loop().call_later(self.schedule.some(20.0), one.come_back)
            elif self.schedule.strikes("rebalance"):
                self.rebalance()


class Ids:
    """In place of a consumer's own client: answers which id a topic has."""

    def __init__(self, group: Group) -> None:
        self._group = group

    def get_random_node(self) -> int:
        """Any one."""
        return 0

    async def send(self, _node: int, request: Any) -> SimpleNamespace:
        """As a broker answers Metadata; after a while, or not at all."""
        schedule, topic_id = self._group.schedule, self._group.history.topic_id
        await schedule.pass_time(0.05)
        if schedule.strikes("no topic ids"):
            raise schedule.random.choice(TROUBLE)
        return SimpleNamespace(topics=[(0, name, topic_id) for name in request._names])


class Member:
    """In place of ``AIOKafkaConsumer``."""

    listener: Any = None

    def __init__(self, group: Group, **_settings: Any) -> None:
        self.cut_off = False
        self._client = Ids(group)
        self._dealt = asyncio.Event()
        self._group = group
        self._schedule = group.schedule
        self._positions: dict[TopicPartition, int | None] = {}
        self._paused: set[TopicPartition] = set()
        self._silent = False

    def subscribe(self, _topics: Collection[str], *, listener: Any) -> None:
        """Whoever subscribes joins the group."""
        self.listener = listener

    async def start(self) -> None:
        """Connect, and join the group where subscribed."""
        await self._schedule.pass_time(0.2)
        if self._schedule.strikes("start fails"):
            raise errors.KafkaConnectionError("unable to bootstrap")
        if self.listener is not None:
            self._group.members.append(self)
            self._group.rebalance()

    async def stop(self) -> None:
        """Leave."""
        if self in self._group.members:
            self._group.members.remove(self)
            self._group.rebalance()
        await self._schedule.pass_time(0.1)

    def wait_for_deal(self) -> None:
        """A rebalance has begun: nothing is read before it is over."""
        self._dealt.clear()

    def come_back(self) -> None:
        """Reach the coordinator again."""
        self.cut_off = False
        self._group.rebalance()

    async def assign(self, partitions: Collection[TopicPartition]) -> None:
        """These are its own from now on; the listener is told before ``getmany`` goes on."""
        self._positions = dict.fromkeys(partitions)
        self._paused.clear()
        self._dealt.set()
        self._schedule.note("assigned", member=self.name, to=len(partitions))
        await self.listener.on_partitions_assigned(self.assignment())

    @property
    def name(self) -> int:
        """Its place among the members."""
        return self._group.members.index(self) if self in self._group.members else -1

    def assignment(self) -> set[TopicPartition]:
        """What it believes to be its own."""
        return set(self._positions)

    def _check(self, partition: TopicPartition) -> None:
        if partition not in self._positions:
            raise errors.IllegalStateError(f"no current assignment for {partition}")

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read on from there."""
        self._check(partition)
        self._positions[partition] = offset

    def pause(self, partition: TopicPartition) -> None:
        """Leave it alone."""
        self._check(partition)
        self._paused.add(partition)

    def resume(self, partition: TopicPartition) -> None:
        """Read it again."""
        self._check(partition)
        self._paused.discard(partition)

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, list[Record]]:
        """Records of some partitions, or nothing within the time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_ms / 1000
        while True:
            await self._dealt.wait()
            await self._suffer()
            drained = self._drain(max_records)
            if drained or loop.time() >= deadline:
                return drained
            await asyncio.sleep(timeout_ms / 1000)

    async def _suffer(self) -> None:
        schedule = self._schedule
        if schedule.strikes("fetch fails"):
            raise schedule.random.choice(TROUBLE)
        if schedule.strikes("fetch hangs"):
            await asyncio.sleep(60.0)
        if schedule.strikes("client silent"):
            self._silent = True

    def _drain(self, most: int) -> dict[TopicPartition, list[Record]]:
        drained: dict[TopicPartition, list[Record]] = {}
        partitions = sorted(self._positions.keys() - self._paused)
        self._schedule.random.shuffle(partitions)
        for partition in [] if self._silent else partitions:
            try:
                records = self._fetch(partition, most)
            except errors.KafkaError:
                if drained:
                    break  # told on the next call
                raise
            if records:
                drained[partition] = records
                most -= len(records)
            if most == 0:
                break
        return drained

    def _fetch(self, partition: TopicPartition, most: int) -> list[Record]:
        position = self._positions[partition]
        if position is None:
            position = self._group.committed.get(partition)
            if position is None:
                raise errors.NoOffsetForPartitionError(partition)
        log = self._group.history.logs[partition]
        if position > len(log) or self._schedule.strikes("out of range"):
            raise errors.OffsetOutOfRangeError({partition: position})
        end = position + self._schedule.random.randint(1, most)
        records = log[position:end]
        self._positions[partition] = position + len(records)
        return records

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Kafka's own offsets, which matter to nobody."""
        await self._schedule.pass_time(0.05)
        if self.cut_off or self._schedule.strikes("commit refused"):
            raise errors.CommitFailedError
        self._group.committed.update(offsets)

    async def committed(self, partition: TopicPartition) -> int | None:
        """Kafka's own offset of one partition."""
        await self._schedule.pass_time(0.05)
        if self._schedule.strikes("no committed offset"):
            await asyncio.sleep(60.0)
        return self._group.committed.get(partition)

    async def beginning_offsets(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Where they begin."""
        await self._schedule.pass_time(0.05)
        return dict.fromkeys(partitions, 0)

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where they end."""
        await self._schedule.pass_time(0.05)
        if self._schedule.strikes("no end offsets"):
            raise errors.KafkaConnectionError("no answer")
        return {each: len(self._group.history.logs[each]) for each in partitions}
