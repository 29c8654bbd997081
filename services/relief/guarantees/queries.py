"""What is asked when guarantees are stated: households by id, and what was ordered before."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.asked import prefix_of
from shared.db import in_divisions
from shared.household_copy import household_copy
from shared.job_rows import JOBS


async def households_of(
    session: AsyncSession, division: str, *, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """The next ``limit`` households that live in a division, by id."""
    rows = select(household_copy.c.household_id).where(_living_in(division))
    if after is not None:
        rows = rows.where(household_copy.c.household_id > after)
    ordered = rows.order_by(household_copy.c.household_id).limit(limit)
    return (await session.scalars(ordered)).all()


async def count_households_of(session: AsyncSession, division: str) -> int:
    """How many households live in a division."""
    counted = select(func.count()).select_from(household_copy).where(_living_in(division))
    return (await session.scalars(counted)).one()


async def looked_at(session: AsyncSession, kind: str, month: str) -> bool:
    """Whether the look of this month was ordered already."""
    ordered = select(JOBS.c.job_id).where(
        JOBS.c.kind == kind, JOBS.c.arguments["month"].as_string() == month
    )
    return (await session.scalars(ordered.limit(1))).first() is not None


def _living_in(division: str) -> ColumnElement[bool]:
    return in_divisions(household_copy.c.division_code, (prefix_of(division),))
