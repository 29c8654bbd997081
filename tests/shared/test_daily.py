"""A turn runs at the start and when the day changes, chunk by chunk, and waits out trouble."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, daily
from shared.daily import Days, Turn
from shared.db import Database
from tests.conftest import DatabaseOf
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Looks at a clock of this test's own every few milliseconds."""
    monkeypatch.setattr(daily, "LOOK_EVERY", 0.02)
    clock.configure(tmp_path / "clock.json", "development")
    yield
    clock.configure(None, "development")


@pytest.fixture
async def worker(database_of: DatabaseOf) -> AsyncIterator[Database]:
    database = Database((await database_of("notify")).worker_url, application_name="tests")
    yield database
    await database.close()


@asynccontextmanager
async def turning(worker: Database, *turns: Turn) -> AsyncIterator["asyncio.Task[None]"]:
    """The days run beside the test."""
    stop = asyncio.Event()
    running = asyncio.create_task(Days(worker, turns).run(stop))
    try:
        yield running
    finally:
        stop.set()
        await asyncio.wait([running])


async def test_once_a_day_until_nothing_is_left(worker: Database) -> None:
    seen: list[date] = []

    async def three_chunks(_session: AsyncSession, day: date) -> bool:
        seen.append(day)
        return seen.count(day) < 3

    async def times(number: int) -> bool:
        return len(seen) == number

    first = clock.today()
    async with turning(worker, three_chunks):
        await until(lambda: times(3), what="the start's three chunks")
        clock.advance(timedelta(days=1))
        await until(lambda: times(6), what="the next day's three chunks")
    assert seen == [first] * 3 + [first + timedelta(days=1)] * 3


async def test_each_chunk_is_a_transaction_of_its_own(worker: Database) -> None:
    transactions: list[int] = []

    async def two_chunks(session: AsyncSession, _day: date) -> bool:
        transactions.append(await session.scalar(text("SELECT pg_current_xact_id()::text::bigint")))
        return len(transactions) < 2

    async def both() -> bool:
        return len(transactions) == 2

    async with turning(worker, two_chunks):
        await until(both, what="two chunks")
    assert transactions[0] < transactions[1]


async def test_trouble_that_passes_is_tried_again(worker: Database) -> None:
    tries: list[date] = []

    async def refused_twice(_session: AsyncSession, day: date) -> bool:
        tries.append(day)
        if len(tries) < 3:
            raise OperationalError("down", None, ConnectionRefusedError())
        return False

    async def third() -> bool:
        return len(tries) == 3

    async with turning(worker, refused_twice):
        await until(third, what="the third try")


async def test_a_turn_s_own_error_ends_the_part(worker: Database) -> None:
    async def broken(_session: AsyncSession, _day: date) -> bool:
        raise KeyError("a programming error")

    async with turning(worker, broken) as running:
        await asyncio.wait([running])
        assert isinstance(running.exception(), KeyError)


async def test_two_workers_take_turns(worker: Database) -> None:
    inside = most = 0

    async def counted(session: AsyncSession, _day: date) -> bool:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await session.execute(text("SELECT pg_sleep(0.05)"))
        inside -= 1
        return False

    async with turning(worker, counted) as one, turning(worker, counted) as other:
        await asyncio.wait([one, other], timeout=0.5)
    assert most == 1
