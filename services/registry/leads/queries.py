"""Leads in the caller's divisions, their reports and visits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.leads.models import Lead, LeadReport, LeadVisit
from shared.contracts.leads import LeadSource, LeadState
from shared.db import in_divisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which leads: in these divisions, in a state, from a source, of a household."""

    within: Sequence[str]
    state: LeadState | None = None
    source: LeadSource | None = None
    household_id: UUID | None = None


async def one(
    session: AsyncSession, lead_id: UUID, *, divisions: Sequence[str], lock: bool = False
) -> RowMapping | None:
    """One lead; with ``lock`` nobody else changes it before this transaction ends."""
    query = (
        select(Lead.__table__)
        .where(Lead.lead_id == lead_id)
        .where(in_divisions(Lead.division_code, divisions))
    )
    rows = await session.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def page(
    session: AsyncSession,
    wanted: Wanted,
    *,
    divisions: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Leads by id, the one opened first first, after one."""
    query = (
        select(Lead.__table__)
        .where(in_divisions(Lead.division_code, divisions))
        .where(in_divisions(Lead.division_code, wanted.within))
        .order_by(Lead.lead_id)
        .limit(limit)
    )
    asked = (
        (Lead.state, wanted.state),
        (Lead.source, wanted.source),
        (Lead.household_id, wanted.household_id),
    )
    query = query.where(*(column == value for column, value in asked if value is not None))
    if after is not None:
        query = query.where(Lead.lead_id > after)
    return (await session.execute(query)).mappings().all()


async def reports_of(session: AsyncSession, lead_id: UUID) -> Sequence[RowMapping]:
    """What was said, in the order in which it came; the caller has found the lead."""
    rows = await session.execute(
        select(LeadReport.__table__)
        .where(LeadReport.lead_id == lead_id)
        .order_by(LeadReport.report_id)
    )
    return rows.mappings().all()


async def visits_of(session: AsyncSession, lead_id: UUID) -> Sequence[RowMapping]:
    """The visits in the order in which they were recorded; the caller has found the lead."""
    rows = await session.execute(
        select(LeadVisit.__table__).where(LeadVisit.lead_id == lead_id).order_by(LeadVisit.visit_id)
    )
    return rows.mappings().all()


async def first_reported_on(session: AsyncSession, lead_id: UUID) -> date:
    """The earliest day on which something was reported; the caller has found the lead."""
    found: date | None = await session.scalar(
        select(func.min(LeadReport.reported_on)).where(LeadReport.lead_id == lead_id)
    )
    if found is None:
        raise LookupError(f"the lead {lead_id} has no report")
    return found
