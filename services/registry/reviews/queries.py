"""Review days and reviews, in the caller's divisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.reviews.models import Review, ReviewDate
from services.registry.tasks.rules import LATEST
from shared.db import in_divisions

Rows = Sequence[RowMapping]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which households: in these divisions, of a kind, due by a day."""

    within: Sequence[str]
    kind: str | None = None
    due_by: date | None = None


async def page(
    session: AsyncSession,
    wanted: Wanted,
    *,
    divisions: Sequence[str],
    after: tuple[date, UUID] | None,
    limit: int,
) -> Rows:
    """Review days, the soonest first, those without a day last; with ``sort_day``."""
    row = ReviewDate
    day = func.coalesce(row.due_on, LATEST)
    query = (
        select(row.__table__, day.label("sort_day"))
        .where(in_divisions(row.division_code, divisions))
        .where(in_divisions(row.division_code, wanted.within))
        .order_by(day, row.household_id)
        .limit(limit)
    )
    if wanted.kind is not None:
        query = query.where(row.kind == wanted.kind)
    if wanted.due_by is not None:
        query = query.where(row.due_on <= wanted.due_by)
    if after is not None:
        query = query.where(tuple_(day, row.household_id) > tuple_(*map(literal, after)))
    return (await session.execute(query)).mappings().all()


async def one(session: AsyncSession, household_id: UUID) -> RowMapping | None:
    """The review day of one household."""
    rows = await session.execute(
        select(ReviewDate.__table__).where(ReviewDate.household_id == household_id)
    )
    return rows.mappings().one_or_none()


async def last_reviewed(session: AsyncSession, household_id: UUID, since: date) -> date | None:
    """The day of a household's last review on or after a day; None without one."""
    day: date | None = await session.scalar(
        select(func.max(Review.reviewed_on))
        .where(Review.household_id == household_id)
        .where(Review.reviewed_on >= since)
    )
    return day


async def reviews_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Rows:
    """The reviews of a household, the earliest first."""
    rows = await session.execute(
        select(Review.__table__)
        .where(Review.household_id == household_id)
        .where(in_divisions(Review.division_code, divisions))
        .order_by(Review.reviewed_on, Review.review_id)
    )
    return rows.mappings().all()
