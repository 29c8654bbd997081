"""What was published of households after a place in the history, and where that was complete."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.exchange import queries
from services.registry.exchange.horizon import complete_upto
from services.registry.exchange.schemas import Change, Published
from shared.contracts.registry import HouseholdState
from shared.db import Database, driver_of

_COUNTY = len("331124")
_SNAPSHOT_PAGE = 500
_CHANGES = "SELECT * FROM household_changes($1, $2, $3)"


async def changes(
    session: AsyncSession, *, after: int, limit: int
) -> tuple[list[Change], int, bool]:
    """Up to ``limit`` changes after history id ``after``; the id to go on from; whether more wait.

    Each published version once and none left out, whatever is being written meanwhile.
    """
    upto = await complete_upto(session, after)
    rows = await driver_of(session).fetch(_CHANGES, after, upto, limit)
    shown = [_change(row) for row in rows if row["covered"] or row["left_it"]]
    whole = len(rows) < limit
    return shown, upto if whole else rows[-1]["id"], not whole


async def snapshot(
    database: Database, divisions: Sequence[str]
) -> AsyncIterator[int | list[Published]]:
    """First the history id to go on from, then every household's newest state, page by page.

    In transactions of their own. What is published meanwhile may be in it already and comes again
    as a change: a state is newer or the same by its version, so taking it twice does no harm.
    """
    async with database.transaction(divisions=divisions) as session:
        yield await complete_upto(session, 0)
    after: UUID | None = None
    while True:
        async with database.transaction(divisions=divisions) as session:
            rows = await queries.published_households(
                session, divisions=divisions, after=after, wanted=None, limit=_SNAPSHOT_PAGE
            )
        if not rows:
            return
        after = rows[-1]["household_id"]
        yield [published(row) for row in rows]


def published(row: RowMapping) -> Published:
    """A row of ``queries.published_households`` as it is shown."""
    return Published(
        household_id=row["household_id"],
        version=row["version"],
        state=HouseholdState.model_validate_json(row["state"]),
    )


def _change(row: asyncpg.Record) -> Change:
    state = HouseholdState.model_validate_json(row["state"])
    return Change(
        household_id=row["household_id"],
        version=row["version"],
        type=row["type"],
        recorded_at=row["recorded_at"],
        state=state if row["covered"] else None,
        moved_to=None if row["covered"] else state.division_code[:_COUNTY],
    )
