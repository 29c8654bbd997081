"""Splits as they are asked for."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.splits.models import Split
from shared.db import in_divisions


async def one(
    session: AsyncSession, split_id: UUID, *, divisions: Sequence[str], lock: bool = False
) -> RowMapping | None:
    """One split."""
    query = (
        select(Split.__table__)
        .where(Split.split_id == split_id)
        .where(in_divisions(Split.division_code, divisions))
    )
    rows = await session.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def of_household(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The splits that a household took part in, on either side, in their order."""
    rows = await session.execute(
        select(Split.__table__)
        .where(or_(Split.household_id == household_id, Split.new_household_id == household_id))
        .where(in_divisions(Split.division_code, divisions))
        .order_by(Split.split_id)
    )
    return rows.mappings().all()
