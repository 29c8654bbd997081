"""Mergers as they are asked for, and what stood in the files before them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.facts import Facts
from services.registry.mergers.models import Merger
from shared.db import driver_of, in_divisions


async def one(
    session: AsyncSession, merger_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One merger."""
    rows = await session.execute(
        select(Merger.__table__)
        .where(Merger.merger_id == merger_id)
        .where(in_divisions(Merger.division_code, divisions))
    )
    return rows.mappings().one_or_none()


async def of_household(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The mergers that a household took part in, on either side, in their order."""
    rows = await session.execute(
        select(Merger.__table__)
        .where(or_(Merger.household_id == household_id, Merger.merged_id == household_id))
        .where(in_divisions(Merger.division_code, divisions))
        .order_by(Merger.merger_id)
    )
    return rows.mappings().all()


async def newest_revision(session: AsyncSession, household_id: UUID) -> int:
    """The last revision that changed a fact; personal data alone is not archived."""
    found = await driver_of(session).fetchval(
        "SELECT max(revision) FROM household_versions WHERE household_id = $1", household_id
    )
    return int(found)


async def facts_up_to(session: AsyncSession, household_id: UUID, revision: int) -> Facts:
    """The newest facts of a household as its revisions up to this one left them."""
    found = await driver_of(session).fetchval(
        "SELECT facts::text FROM household_versions WHERE household_id = $1 AND revision <= $2 "
        "ORDER BY valid_from DESC, revision DESC LIMIT 1",
        household_id,
        revision,
    )
    return Facts.model_validate_json(found)
