"""The writer's PostgreSQL as far as its relay can tell: numbers, locks, visibility, sessions.

A transaction takes its number before it waits for a row, draws outbox ids under the row locks, and
is visible before it lets go of them. So ids and commits go out of step, but never in an aggregate.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared import relay
from shared.relay import Relay
from tests.bus.schedules.schedule import Schedule
from tests.bus.schedules.sessions import Session

PARTITIONS = 3
TOPICS = ("one", "two")
WRITTEN_AT = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class Transaction:
    """One that is running: its rows are seen by nobody yet."""

    number: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)


class Primary:
    """The database, its writers' transactions and every property that is seen from here."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.relays: list[Relay] = []
        self.outbox: dict[int, dict[str, Any]] = {}
        self.committed: dict[UUID, dict[str, Any]] = {}
        self.acknowledged: set[UUID] = set()
        self.holder: Session | None = None
        self._versions: dict[str, int] = defaultdict(int)
        self._rows: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._running: dict[int, Transaction] = {}
        self._next_number = self._next_id = 1
        self._last_over = 0

    async def connect(self, *_address: Any, **_settings: Any) -> "Connection":
        """As ``asyncpg.connect``."""
        await self.schedule.pass_time(0.05)
        if self.schedule.strikes("connection refused"):
            raise ConnectionRefusedError("the server is starting")
        return Connection(self)

    def number(self) -> int:
        """As ``pg_current_xact_id()`` in a transaction of its own, over at once."""
        self._last_over = max(self._last_over, self._next_number)
        self._next_number += 1
        return self._next_number - 1

    @property
    def xmax(self) -> int:
        """One past the last number that is over, as a snapshot has it."""
        return self._last_over + 1

    @property
    def xmin(self) -> int:
        """A snapshot's oldest running number; it knows nothing of what runs above its xmax."""
        return min((number for number in self._running if number < self.xmax), default=self.xmax)

    async def foreign(self, seconds: float) -> None:
        """A write transaction of some other database of the cluster."""
        number = self._begin().number
        await asyncio.sleep(seconds)
        self._end(number)

    async def write(self, aggregates: Sequence[str]) -> None:
        """One business transaction: lock the rows in order, publish, end some time later."""
        schedule = self.schedule
        mine = self._begin()
        try:
            for name in sorted(set(aggregates)):
                await self._rows[name].acquire()
                mine.versions[name] = self._versions[name]
                await schedule.pass_time(0.05)
            if schedule.strikes("slow to publish"):
                await schedule.pass_time(10.0)
            for name in aggregates:
                self._publish(mine, name)
                await schedule.pass_time(0.3)
            if schedule.strikes("long transaction"):
                await schedule.pass_time(20.0)
            if not schedule.strikes("aborted"):
                self._commit(mine)
        finally:
            self._end(mine.number)
            for name in mine.versions:
                self._rows[name].release()

    def _begin(self) -> Transaction:
        mine = self._running[self._next_number] = Transaction(self._next_number)
        self._next_number += 1
        return mine

    def _end(self, number: int) -> None:
        del self._running[number]
        self._last_over = max(self._last_over, number)

    def _publish(self, mine: Transaction, name: str) -> None:
        mine.versions[name] += 1
        version, outbox_id = mine.versions[name], self._next_id
        self._next_id += 1
        place = sum(name.encode())
        mine.rows.append(
            {
                **_OPTIONAL,
                "id": outbox_id,
                "topic": TOPICS[place % len(TOPICS)],
                "kafka_partition": place % PARTITIONS,
                "event_id": UUID(int=outbox_id),
                "key": name,
                "subject": name,
                "aggregate_version": version,
                "data": f"{name} {version}".encode(),
            }
        )

    def _commit(self, mine: Transaction) -> None:
        self._versions.update(mine.versions)
        for row in mine.rows:
            self.outbox[row["id"]] = row
            self.committed[row["event_id"]] = row
            for each in self.relays:
                if each.floor.value >= row["id"]:
                    self.schedule.violated(f"row {row['id']} appears below {each.floor.value}")
        self.schedule.note("committed", ids=[row["id"] for row in mine.rows])

    def fetch(
        self, floor: int, most: int, most_bytes: int, held: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """The relay's look at the outbox."""
        found: list[dict[str, Any]] = []
        size = 0
        for outbox_id in sorted(self.outbox):
            row = self.outbox[outbox_id]
            if outbox_id <= floor or f"{row['topic']}/{row['kafka_partition']}" in held:
                continue
            if len(found) == most or size >= most_bytes:
                break
            found.append(row)
            size += len(row["data"])
        return found

    def fetch_ahead(
        self,
        last: int,
        most: int,
        most_bytes: int,
        floor: int,
        under_way: int,
        *,
        looks_below: bool,
    ) -> list[dict[str, Any]]:
        """Its look past a round under way: at nothing where others than that round's wait below."""
        below = sum(floor < outbox_id <= last for outbox_id in self.outbox)
        if looks_below and below != under_way:
            return []
        found = self.fetch(last, most, most_bytes)
        self.schedule.note("read ahead", ids=[row["id"] for row in found])
        return found

    def delete(self, ids: Sequence[int]) -> None:
        """The relay's DELETE: of no row whose record the broker has not acknowledged."""
        self.number()
        for outbox_id in ids:
            row = self.outbox.pop(outbox_id, None)
            if row is not None and row["event_id"] not in self.acknowledged:
                self.schedule.violated(f"row {outbox_id} deleted without its acknowledgement")
        self.schedule.note("deleted", ids=list(ids))


class Connection(Session):
    """What the relay holds: a session with its few statements, and the ways to lose it."""

    def __init__(self, primary: Primary) -> None:
        super().__init__(primary.schedule)
        self._primary = primary

    async def fetchval(self, _query: str, _key: int) -> bool:
        """``pg_try_advisory_lock``."""
        return bool(await self.statement(self._try_lock))

    def _try_lock(self) -> bool:
        primary = self._primary
        if primary.holder is None:
            primary.holder = self
            self.schedule.note("lock taken")
        return primary.holder is self

    async def fetch(self, query: str, *given: Any) -> list[Mapping[str, Any]]:
        """One of the four questions."""
        primary = self._primary
        if query == relay._FETCH_AHEAD:
            looks = "count(*)" in query
            return list(
                await self.statement(lambda: primary.fetch_ahead(*given, looks_below=looks))
            )
        if query == relay._FETCH:
            return list(await self.statement(lambda: primary.fetch(*given)))
        if query == relay._SNAPSHOT:
            by_xmax = "xmax" in query
            return [await self.statement(lambda: self._snapshot(*given, by_xmax=by_xmax))]
        assert query == relay._UNSENT
        return [await self.statement(lambda: {"unsent": len(primary.outbox), "age": 1.0})]

    def _snapshot(self, seeks_bound: bool, *, by_xmax: bool) -> dict[str, int | None]:
        primary = self._primary
        xmin, xmax = primary.xmin, primary.xmax
        if not seeks_bound:
            return {"xmin": xmin, "bound": None}
        return {"xmin": xmin, "bound": xmax if by_xmax else primary.number()}

    async def execute(self, query: str, ids: Sequence[int]) -> None:
        """The DELETE."""
        assert query == relay._DELETE
        await self.statement(lambda: self._primary.delete(ids))

    def ended(self) -> None:
        """The server has ended this session: its advisory lock is free."""
        if self._primary.holder is self:
            self._primary.holder = None
            self.schedule.note("lock free")


_OPTIONAL = {
    "source": "/registry",
    "type": "bangfu.note.changed.v1",
    "episode": None,
    "rule_set": None,
    "effective_from": None,
    "correlation_id": "none",
    "causation_id": None,
    "traceparent": None,
    "occurred_at": WRITTEN_AT,
}
