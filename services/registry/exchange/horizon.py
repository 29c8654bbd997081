"""How far the history is complete: the change feed's answer to the invisible earlier transaction.

An event's id is drawn before its transaction commits, so a lower id may appear after a higher one
was read. Whoever drew an id held a write lock on ``events`` by then; so once the writers that held
it when the last id was looked at are gone, nothing at or below that id can appear any more. Only
writers of this database's history are waited for: no other transaction can hold the feed back.
"""

import asyncio

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import driver_of

PATIENCE_SECONDS = 2.0
"""How long a request waits for writers at work; then it gives what was complete before."""

_POLL_SECONDS = 0.005
_LAST = "SELECT last_history_id()"
_WRITERS = """
SELECT virtualtransaction FROM pg_locks
WHERE relation = CAST('events' AS regclass) AND mode = 'RowExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND pid <> pg_backend_pid()
"""


async def complete_upto(session: AsyncSession, after: int) -> int:
    """The highest history id at or below which nothing can appear any more; ``after`` at least.

    Waits for the writers that are at work now, never for later ones. Gives ``after``, so nothing
    new, where one of them takes longer than the patience: what it writes comes with a later call.
    """
    driver = driver_of(session)
    last: int = await driver.fetchval(_LAST)
    if last <= after:
        return after
    waited_for = await _writers(driver)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while waited_for:
                await asyncio.sleep(_POLL_SECONDS)
                waited_for &= await _writers(driver)
    except TimeoutError:
        return after
    return last


async def _writers(driver: "asyncpg.Connection[asyncpg.Record]") -> set[str]:
    return {row["virtualtransaction"] for row in await driver.fetch(_WRITERS)}
