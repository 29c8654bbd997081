"""Conflicts between feeds as they are asked for."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.sources.models import SourceConflict
from shared.db import in_divisions


async def page(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    within: Sequence[str],
    is_open: bool | None,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Conflicts by id."""
    row = SourceConflict
    query = (
        select(row.__table__)
        .where(in_divisions(row.division_code, divisions))
        .where(in_divisions(row.division_code, within))
        .order_by(row.conflict_id)
        .limit(limit)
    )
    if is_open is not None:
        query = query.where(row.outcome.is_(None) if is_open else row.outcome.is_not(None))
    if after is not None:
        query = query.where(row.conflict_id > after)
    return (await session.execute(query)).mappings().all()


async def one(
    session: AsyncSession, conflict_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One conflict."""
    rows = await session.execute(
        select(SourceConflict.__table__)
        .where(SourceConflict.conflict_id == conflict_id)
        .where(in_divisions(SourceConflict.division_code, divisions))
    )
    return rows.mappings().one_or_none()
