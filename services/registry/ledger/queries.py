"""What was done for a household, and how its guarantees stand, in the caller's divisions."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.models import Decision, Episode, HouseholdVersion
from services.registry.ledger.models import AidEntry, Guarantee
from shared.contracts.assistance import GuaranteeKind
from shared.db import in_divisions

Rows = Sequence[RowMapping]


async def aid_of(
    session: AsyncSession,
    household_id: UUID,
    *,
    divisions: Sequence[str],
    after: tuple[date, UUID] | None = None,
    limit: int | None = None,
) -> Rows:
    """The aid ledger of one household by day and id, after one entry."""
    order = (AidEntry.granted_on, AidEntry.assistance_id)
    query = (
        select(AidEntry.__table__)  # the whole row
        .where(AidEntry.household_id == household_id)
        .where(in_divisions(AidEntry.division_code, divisions))
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(*order) > after)
    return (await session.execute(query)).mappings().all()


async def guarantees_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Rows:
    """The guarantees of one household as their services last said, by kind."""
    rows = await session.execute(
        select(Guarantee.__table__)
        .where(Guarantee.household_id == household_id)
        .where(in_divisions(Guarantee.division_code, divisions))
        .order_by(Guarantee.kind, Guarantee.source, Guarantee.guarantee_id)
    )
    return rows.mappings().all()


async def stated(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> dict[GuaranteeKind, bool]:
    """Of each kind of guarantee that some service stated: whether all who did say it is met."""
    found: dict[GuaranteeKind, bool] = {}
    for row in await guarantees_of(session, household_id, divisions=divisions):
        kind = GuaranteeKind(row["kind"])
        found[kind] = row["met"] and found.get(kind, True)
    return found


async def episodes_of(session: AsyncSession, household_id: UUID, divisions: Sequence[str]) -> Rows:
    """The episodes of one household in their order."""
    rows = await session.execute(
        select(Episode.__table__)
        .where(Episode.household_id == household_id)
        .where(in_divisions(Episode.division_code, divisions))
        .order_by(Episode.number)
    )
    return rows.mappings().all()


async def decisions_of(session: AsyncSession, household_id: UUID, divisions: Sequence[str]) -> Rows:
    """The decisions on one household in their order, without the facts they were made on."""
    rows = await session.execute(
        select(
            Decision.decision_id,
            Decision.kind,
            Decision.decided_on,
            Decision.officer_id,
            Decision.reason,
            Decision.rule_set,
            Decision.category,
            Decision.episode,
            Decision.recorded_at,
        )
        .where(Decision.household_id == household_id)
        .where(in_divisions(Decision.division_code, divisions))
        .order_by(Decision.decided_on, Decision.decision_id)
    )
    return rows.mappings().all()


async def versions_of(session: AsyncSession, household_id: UUID, divisions: Sequence[str]) -> Rows:
    """The archive's entries of one household: from when, known since when, under which version."""
    rows = await session.execute(
        select(
            HouseholdVersion.valid_from,
            HouseholdVersion.version,
            HouseholdVersion.revision,
            HouseholdVersion.recorded_at,
        )
        .where(HouseholdVersion.household_id == household_id)
        .where(in_divisions(HouseholdVersion.division_code, divisions))
        .order_by(HouseholdVersion.valid_from, HouseholdVersion.revision)
    )
    return rows.mappings().all()
