"""The listener's PostgreSQL as far as a consumer can tell, and what must hold at every commit.

READ COMMITTED with row locks: what a transaction writes is seen by others once it is over, and who
wants a locked row waits. A savepoint takes back what was written in it, not the locks.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import exc, text
from sqlalchemy.sql.dml import Insert

from shared import applying, parking, topic_ids, watchdog
from shared.parking import BEHIND
from shared.producer import Place
from tests.bus.schedules.driver import Result, Row, by_the_driver, database_error
from tests.bus.schedules.history import History, Kind
from tests.bus.schedules.schedule import Schedule
from tests.bus.schedules.tables import Aggregate, Tables

LOCK_TIMEOUT = 4.0
WRITE = text("the handler's own statement")

DATABASE_FAULTS = {
    "database away": 0.1,
    "pool exhausted": 0.05,
    "statement fails": 0.03,
    "statement waits": 0.05,
    "session ends": 0.03,
    "commit fails": 0.05,
    "commit lost": 0.1,
    "commit late": 0.1,
    "backup": 0.2,
    "restored": 0.3,
}
PASSING = ("57014", "40P01", "53300", "55P03", "57P03")


class ListenerDatabase:
    """In place of ``Database``: transactions, and every property that is seen from here."""

    def __init__(self, schedule: Schedule, history: History) -> None:
        self.schedule = schedule
        self.history = history
        self.tables = Tables()
        self.locks: dict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.restores = 0
        self._backup = Tables()
        self._away_until = 0.0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["ListenerSession"]:
        """As ``Database.transaction``."""
        if self.schedule.strikes("pool exhausted"):
            await asyncio.sleep(5.0)
            raise exc.TimeoutError
        await self.schedule.pass_time(0.005)
        away = asyncio.get_running_loop().time() < self._away_until
        if away or self.schedule.strikes("database away"):
            raise ConnectionRefusedError("the server is starting")
        session = ListenerSession(self)
        try:
            yield session
            await self._commit(session)
        finally:
            if not session.handed_over:
                session.release()

    async def _commit(self, session: "ListenerSession") -> None:
        """The answer to a COMMIT may be lost, and one whose client is gone may still be done."""
        schedule = self.schedule
        session.check()
        if schedule.strikes("commit late"):
            session.handed_over = True
            asyncio.get_running_loop().call_later(schedule.some(3.0), self._finish, session)
            await schedule.pass_time(1.0)
            raise database_error("08006", lost=True)
        await schedule.pass_time(0.01)
        session.check()
        if schedule.strikes("commit fails"):
            raise database_error("57P01", lost=True)
        self._keep(session.written)
        if schedule.strikes("commit lost"):
            raise database_error("08006", lost=True)

    def _finish(self, session: "ListenerSession") -> None:
        if session.since == self.restores:
            self._keep(session.written)
        session.release()

    def _keep(self, new: Tables) -> None:
        for aggregate, version in new.applied:
            self._check_effect(aggregate, version)
        for row in new.parked:
            self._check_parked(row)
        self.tables.received.update(new.received)
        self.tables.parked += new.parked
        before = {place: self._before(place, new) for place in new.offsets}
        self.tables.topic_ids.update(new.topic_ids)
        for place, offset in new.offsets.items():
            self._check_offset(place, before[place], offset)
        self.tables.offsets.update(new.offsets)
        if self.schedule.strikes("backup"):
            self._backup = self.tables.copy()
        if new.offsets or new.applied:
            self.schedule.note("committed", applied=new.applied, offsets=new.offsets)

    def restore(self) -> None:
        """Go back to the last backup: all sessions end, and what came after it is gone.

        At once, as where a replica that lags behind takes over, or after a while.
        """
        self.tables = self._backup.copy()
        self.restores += 1
        self.locks.clear()
        away = self.schedule.random.choice((0.0, 10.0))
        self._away_until = asyncio.get_running_loop().time() + self.schedule.some(away)

    def _check_effect(self, aggregate: Aggregate, version: int) -> None:
        before = self.tables.latest.get(aggregate, 0)
        if version <= before:
            self.schedule.violated(f"{aggregate} {version} applied on {before}")
        if aggregate in self.tables.blocked:
            self.schedule.violated(f"{aggregate} {version} applied behind a parked one")
        self.tables.latest[aggregate] = version

    def _check_parked(self, row: Mapping[str, Any]) -> None:
        at = (Place(row["topic"], row["kafka_partition"]), row["kafka_offset"])
        record = self.history.at(*at)
        if at in self.tables.parked_at:
            self.schedule.violated(f"{at} parked twice")
        self.tables.parked_at.add(at)
        if record.kind is Kind.BROKEN:
            return
        aggregate = (row["source"], row["aggregate_id"])
        expected = BEHIND if aggregate in self.tables.blocked else "poison"
        if expected not in row["reason"]:
            self.schedule.violated(f"{at} parked because {row['reason']}, not {expected}")
        if aggregate not in self.tables.blocked and record.kind is not Kind.POISON:
            self.schedule.violated(f"{at} is parked, but neither poison nor behind it")
        self.tables.blocked.add(aggregate)

    def _before(self, place: Place, new: Tables) -> int:
        """Where the partition was in the topic that it belongs to from now on."""
        has = self.tables.topic_ids.get(place)
        return self.tables.offsets.get(place, 0) if new.topic_ids.get(place, has) == has else 0

    def _check_offset(self, place: Place, before: int, offset: int) -> None:
        if offset < before:
            self.schedule.violated(f"{place} goes back from {before} to {offset}")
        if self.tables.topic_ids.get(place) != self.history.topic_id:
            return
        for number in range(before, offset):
            if not self._settled(place, number):
                self.schedule.violated(f"{place} passes {number}, which had no effect")

    def _settled(self, place: Place, offset: int) -> bool:
        record = self.history.at(place, offset)
        if record.kind is Kind.UNKNOWN or (place, offset) in self.tables.parked_at:
            return True
        reached = self.tables.received.get(record.aggregate, 0)
        return record.kind is not Kind.BROKEN and reached >= record.version


class ListenerSession:
    """In place of a transaction's session and of its driver: the few statements that are asked."""

    def __init__(self, database: ListenerDatabase) -> None:
        self.written = Tables()
        self.handed_over = False
        self.since = database.restores
        self._database = database
        self._schedule = database.schedule
        self._held: list[asyncio.Lock] = []
        self._keys: set[Hashable] = set()
        self._lost = self._aborted = False
        self._before: Tables | None = None

    def check(self) -> None:
        """Raises where nothing can be done in this transaction any more."""
        if self._lost or self.since != self._database.restores:
            raise database_error("08003", lost=True)
        if self._aborted:
            raise database_error("25P02")

    def release(self) -> None:
        """Let all rows go."""
        for lock in self._held:
            lock.release()
        self._held.clear()

    async def _lock(self, *key: Hashable) -> None:
        if key in self._keys:
            return
        lock = self._database.locks[key]
        try:
            async with asyncio.timeout(LOCK_TIMEOUT):
                await lock.acquire()
        except TimeoutError:
            self._aborted = True
            raise database_error("55P03") from None
        self._held.append(lock)
        self._keys.add(key)
        self.check()

    async def fetch(self, statement: str, *values: Any) -> Result:
        """As the driver: values by position, and its own errors."""
        try:
            return await self._run(statement, dict(zip(_DRIVERS[statement], values, strict=True)))
        except exc.DBAPIError as error:
            raise by_the_driver(error) from None

    async def execute(self, statement: Any, *values: Any) -> Result:
        """As the driver where it is its SQL, else as SQLAlchemy's session."""
        if isinstance(statement, str):
            return await self.fetch(statement, *values)
        return await self._run(statement, *values)

    async def _run(self, statement: Any, given: Any = None) -> Result:
        """One statement: a moment passes, and it may fail."""
        schedule = self._schedule
        self.check()
        await schedule.pass_time(2.0 if schedule.strikes("statement waits") else 0.005)
        self.check()
        if schedule.strikes("session ends"):
            self._lost = True
            raise database_error("57P01", lost=True)
        if schedule.strikes("statement fails"):
            self._aborted = True
            raise database_error(schedule.random.choice(PASSING))
        if isinstance(statement, Insert):
            assert statement.table is parking.parked
            self.written.parked += given
            return Result()
        found: Result = await self._STATEMENTS[statement](self, given)
        return found

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        """A savepoint, marked where the session itself speaks next."""
        self.check()
        self._before = None
        try:
            yield
            self.check()
        except BaseException:
            if self._before is not None:
                self.written, self._aborted = self._before, False
            raise

    async def connection(self) -> None:
        """Mark the savepoint."""
        self._before = self.written.copy()

    def _offset(self, place: Place) -> int | None:
        mine = self.written.offsets.get(place)
        return self._database.tables.offsets.get(place) if mine is None else mine

    def _version(self, aggregate: Aggregate) -> int:
        mine = self.written.received.get(aggregate)
        return self._database.tables.received.get(aggregate, 0) if mine is None else mine

    async def _lock_offsets(self, given: Mapping[str, Any]) -> Result:
        places = sorted(_places(given))
        known = [place for place in places if self._offset(place) is not None]
        for place in known:
            await self._lock("offset", place)
        return Result(_offset_row(place, self._offset(place)) for place in known)

    async def _offsets(self, given: Mapping[str, Any]) -> Result:
        stored = self._database.tables.offsets | self.written.offsets
        found = (place for place in stored if place.topic in given["topics"])
        return Result(_offset_row(place, stored[place]) for place in found)

    async def _start(self, given: Mapping[str, Any]) -> Result:
        for place, offset in zip(_places(given), given["offsets"], strict=True):
            await self._lock("offset", place)
            if self._offset(place) is None:
                self.written.offsets[place] = offset
        return Result()

    def _with_id(self, given: Mapping[str, Any]) -> Iterator[tuple[Place, UUID | None, UUID]]:
        """The rows of these topics: the id each has, and the one that was asked for."""
        known = dict(zip(given["topics"], given["ids"], strict=True))
        tables = self._database.tables
        has = tables.topic_ids | self.written.topic_ids
        for place in sorted(tables.offsets | self.written.offsets):
            if place.topic in known:
                yield place, has.get(place), known[place.topic]

    async def _adopt(self, given: Mapping[str, Any]) -> Result:
        for place, has, topic_id in list(self._with_id(given)):
            if has is None:
                await self._lock("offset", place)
                self.written.topic_ids.setdefault(place, topic_id)
        return Result()

    async def _made_anew(self, given: Mapping[str, Any]) -> Result:
        rows = self._with_id(given)
        other = [place for place, has, topic_id in rows if has is not None and has != topic_id]
        return Result(_offset_row(place, self._offset(place)) for place in other)

    async def _begin_again(self, given: Mapping[str, Any]) -> Result:
        place = Place(given["topic"], given["partition"])
        await self._lock("offset", place)
        has = self.written.topic_ids.get(place, self._database.tables.topic_ids.get(place))
        if self._offset(place) is not None and has != given["topic_id"]:
            self.written.offsets[place] = given["offset"]
            self.written.topic_ids[place] = given["topic_id"]
        return Result()

    async def _move(self, given: Mapping[str, Any]) -> Result:
        for place, offset in zip(_places(given), given["offsets"], strict=True):
            await self._lock("offset", place)
            self.written.offsets[place] = offset
        return Result()

    async def _guard(self, given: Mapping[str, Any]) -> Result:
        passed = Result()
        for source, name, version in zip(
            given["sources"], given["ids"], given["versions"], strict=True
        ):
            await self._lock("received", source, name)
            if self._version((source, name)) < version:
                self.written.received[source, name] = version
                passed.append(Row(source=source, aggregate_id=name))
        return passed

    async def _blocked(self, given: Mapping[str, Any]) -> Result:
        wanted = set(zip(given["sources"], given["ids"], strict=True))
        rows = [*self._database.tables.parked, *self.written.parked]
        found = {(row["source"], row["aggregate_id"]) for row in rows} & wanted
        return Result(Row(source=s, aggregate_id=a) for s, a in sorted(found))

    async def _parked(self, _given: None) -> Result:
        return Result([Row(number=len(self._database.tables.parked), oldest=None)])

    async def _write(self, given: Sequence[tuple[Aggregate, int, bool]]) -> Result:
        for aggregate, version, poison in given:
            if poison and version % 2:
                self._aborted = True
                raise database_error("poison")
            if poison:
                raise ValueError("poison")
            self.written.applied.append((aggregate, version))
        return Result()

    _STATEMENTS: Mapping[Any, Any] = {
        applying._LOCK_OFFSETS: _lock_offsets,
        applying._OFFSETS: _offsets,
        applying._START: _start,
        applying._MOVE: _move,
        topic_ids._ADOPT: _adopt,
        topic_ids._MADE_ANEW: _made_anew,
        topic_ids._BEGIN_AGAIN: _begin_again,
        applying._GUARD: _guard,
        parking._BLOCKED: _blocked,
        watchdog._PARKED: _parked,
        WRITE: _write,
    }


_DRIVERS: Mapping[str, Sequence[str]] = {
    applying._LOCK_OFFSETS: ("topics", "partitions", "gate"),
    applying._START: ("topics", "partitions", "offsets"),
    applying._MOVE: ("topics", "partitions", "offsets"),
    applying._GUARD: ("sources", "ids", "versions"),
    parking._BLOCKED: ("sources", "ids"),
}
"""What the driver's statements are given, in this order."""


def _places(given: Mapping[str, Any]) -> list[Place]:
    return [Place(*each) for each in zip(given["topics"], given["partitions"], strict=True)]


def _offset_row(place: Place, offset: int | None) -> Row:
    return Row(topic=place.topic, kafka_partition=place.partition, next_offset=offset)
