"""Income checks of a household, in the caller's divisions."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.checks.models import IncomeCheck
from services.registry.checks.rules import PastCheck
from shared.db import in_divisions


async def checks_of(
    session: AsyncSession,
    household_id: UUID,
    *,
    divisions: Sequence[str],
    after: tuple[date, UUID] | None = None,
    limit: int | None = None,
) -> Sequence[RowMapping]:
    """The checks of one household by day and id, after one."""
    order = (IncomeCheck.checked_on, IncomeCheck.check_id)
    query = (
        select(IncomeCheck.__table__)  # the whole row
        .where(IncomeCheck.household_id == household_id)
        .where(in_divisions(IncomeCheck.division_code, divisions))
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(*order) > after)
    return (await session.execute(query)).mappings().all()


async def of_episode(
    session: AsyncSession, household_id: UUID, episode: int, *, divisions: Sequence[str]
) -> list[PastCheck]:
    """The checks of one episode as a lift looks at them."""
    rows = await checks_of(session, household_id, divisions=divisions)
    return [
        PastCheck(
            check_id=row["check_id"],
            checked_on=row["checked_on"],
            passed=row["passed"],
            officer_id=row["officer_id"],
        )
        for row in rows
        if row["episode"] == episode
    ]
