"""What passes by itself and what stays with the message, with the errors that PostgreSQL makes."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import Database, driver_of
from shared.trouble import passes
from tests.conftest import DatabaseOf

Provoke = Callable[[AsyncSession], Awaitable[object]]
TOO_LARGE = 2**40


async def _value_past_sqlalchemy(session: AsyncSession) -> object:
    return await driver_of(session).fetchval("SELECT $1::integer", TOO_LARGE)


async def _value_through_sqlalchemy(session: AsyncSession) -> object:
    return await session.scalar(text("SELECT CAST(:n AS integer)"), {"n": TOO_LARGE})


async def _division(session: AsyncSession) -> object:
    return await session.scalar(text("SELECT 1 / 0"))


async def _slow(session: AsyncSession) -> object:
    await session.execute(text("SET LOCAL statement_timeout = '10ms'"))
    return await session.scalar(text("SELECT pg_sleep(5)"))


async def _ended_by_the_server(session: AsyncSession) -> object:
    await driver_of(session).execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return None


async def _closed_before(session: AsyncSession) -> object:
    driver_of(session).terminate()
    return await driver_of(session).fetchval("SELECT 1")


@pytest.mark.parametrize(
    ("provoke", "by_itself"),
    [
        (_value_past_sqlalchemy, False),
        (_value_through_sqlalchemy, False),
        (_division, False),
        (_slow, True),
        (_ended_by_the_server, True),
        (_closed_before, True),
    ],
)
async def test_only_what_time_mends_passes(
    database_of: DatabaseOf, provoke: Provoke, *, by_itself: bool
) -> None:
    urls = await database_of("housing")
    database = Database(urls.worker_url, application_name="test", pool_size=1)
    try:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - which one is the question
            async with database.transaction() as session:
                await provoke(session)
    finally:
        await database.close()
    assert passes(raised.value) is by_itself
