"""Which raw answers are past keeping, and the deletions that were asked for (section 7)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.retention.models import AnswerDeletion
from services.registry.verification.sources import ItemState
from shared.db import in_divisions

Rows = Sequence[RowMapping]
_RUNNING = [ItemState.WAITING.value, ItemState.SENT.value]


async def past_keeping(session: AsyncSession, county: str, before: date) -> int:
    """How many raw answers of a county would go now."""
    given = {"county": county, "before": before, "running": _RUNNING}
    return await session.scalar(_COUNT, given) or 0


async def next_households(
    session: AsyncSession, county: str, after: UUID | None, *, limit: int
) -> list[UUID]:
    """A county's households by id, whatever their state: those gone had answers too."""
    rows = await session.scalars(_HOUSEHOLDS, {"county": county, "after": after, "most": limit})
    return list(rows)


async def count_households(session: AsyncSession, county: str) -> int:
    """All of a county's."""
    return await session.scalar(_HOW_MANY, {"county": county}) or 0


async def deletions(
    session: AsyncSession, *, within: Sequence[str], after: UUID | None, limit: int
) -> Rows:
    """Deletions in these divisions, the one asked for first first."""
    query = (
        select(AnswerDeletion.__table__)
        .where(in_divisions(AnswerDeletion.division_code, within))
        .order_by(AnswerDeletion.deletion_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(AnswerDeletion.deletion_id > after)
    return (await session.execute(query)).mappings().all()


async def one(
    session: AsyncSession, deletion_id: UUID, *, divisions: Sequence[str], hold: bool = False
) -> RowMapping | None:
    """One deletion; with ``hold`` nobody else changes it before the transaction ends."""
    query = (
        select(AnswerDeletion.__table__)
        .where(AnswerDeletion.deletion_id == deletion_id)
        .where(in_divisions(AnswerDeletion.division_code, divisions))
    )
    rows = await session.execute(query.with_for_update() if hold else query)
    return rows.mappings().one_or_none()


# An answer is used when it comes and by each report on its verification. One that a doubt still
# rests on, or whose verification still runs, stays. A day begins at midnight in Shanghai.
PAST_KEEPING = """item.answer_encrypted IS NOT NULL
    AND item.division_code ^@ CAST(:county AS text)
    AND item.answered_at < CAST(:before AS date)::timestamp AT TIME ZONE 'Asia/Shanghai'
    AND NOT EXISTS (SELECT FROM verification_reports AS report
        WHERE report.verification_id = item.verification_id AND report.made_on >= :before
        AND report.household_id = item.household_id)
    AND NOT EXISTS (SELECT FROM verification_doubts AS doubt
        WHERE doubt.verification_id = item.verification_id AND doubt.outcome IS NULL)
    AND NOT EXISTS (SELECT FROM verification_items AS other
        WHERE other.household_id = item.household_id
        AND other.verification_id = item.verification_id AND other.state = ANY(:running))"""
"""The condition on ``verification_items AS item``; takes ``county``, ``before``, ``running``."""
_COUNT = text(f"SELECT count(*) FROM verification_items AS item WHERE {PAST_KEEPING}")  # noqa: S608 (own constant)
_HOUSEHOLDS = text(
    "SELECT household_id FROM households WHERE division_code ^@ CAST(:county AS text) "
    "AND (CAST(:after AS uuid) IS NULL OR household_id > CAST(:after AS uuid)) "
    "ORDER BY household_id LIMIT :most"
)
_HOW_MANY = text("SELECT count(*) FROM households WHERE division_code ^@ CAST(:county AS text)")
