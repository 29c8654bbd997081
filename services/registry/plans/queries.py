"""Plans of a household, and the households whose planning is not as it should be."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.helpers.models import Helper, Pairing
from services.registry.households.models import Household
from services.registry.ledger.models import AidEntry
from services.registry.plans.measures import OF_PROGRAMMES, MeasureKind
from services.registry.plans.models import Plan, PlanMeasure, PlanResult
from services.registry.plans.rules import MeasureState, PlanState
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import State
from shared.db import in_divisions

Rows = Sequence[RowMapping]


async def one(
    session: AsyncSession, plan_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One plan."""
    query = select(Plan.__table__).where(Plan.plan_id == plan_id)
    rows = await session.execute(query.where(in_divisions(Plan.division_code, divisions)))
    return rows.mappings().one_or_none()


async def measure(
    session: AsyncSession, measure_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One measure with the state of its plan."""
    rows = await session.execute(
        select(PlanMeasure.__table__, Plan.state.label("plan_state"))
        .join(Plan, Plan.plan_id == PlanMeasure.plan_id)
        .where(PlanMeasure.measure_id == measure_id)
        .where(in_divisions(PlanMeasure.division_code, divisions))
    )
    return rows.mappings().one_or_none()


async def plans_of(session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]) -> Rows:
    """All versions of a household's plan, the first one first."""
    rows = await session.execute(
        select(Plan.__table__)
        .where(Plan.household_id == household_id)
        .where(in_divisions(Plan.division_code, divisions))
        .order_by(Plan.version)
    )
    return rows.mappings().all()


async def measures_of(session: AsyncSession, plan_id: UUID) -> Rows:
    """The measures of one plan in the order in which they were entered."""
    rows = await session.execute(
        select(PlanMeasure.__table__)
        .where(PlanMeasure.plan_id == plan_id)
        .order_by(PlanMeasure.measure_id)
    )
    return rows.mappings().all()


async def results_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Rows:
    """What the years of a household's plans came to."""
    rows = await session.execute(
        select(PlanResult.__table__)
        .where(PlanResult.household_id == household_id)
        .where(in_divisions(PlanResult.division_code, divisions))
        .order_by(PlanResult.year)
    )
    return rows.mappings().all()


async def carried_out(
    session: AsyncSession, household_id: UUID, *, since: date
) -> frozenset[MeasureKind]:
    """The kinds of measures done for a household since a day: of its plans, and paid by bureaus."""
    done = await session.scalars(
        select(PlanMeasure.kind)
        .where(PlanMeasure.household_id == household_id)
        .where(PlanMeasure.state == MeasureState.CARRIED_OUT.value)
        .where(PlanMeasure.ended_on >= since)
        .distinct()
    )
    paid = await session.scalars(
        select(AidEntry.programme)
        .where(AidEntry.household_id == household_id)
        .where(AidEntry.status == AssistanceStatus.PAID.value)
        .where(AidEntry.granted_on >= since)
        .distinct()
    )
    reported = {OF_PROGRAMMES[each] for each in paid if each in OF_PROGRAMMES}
    return frozenset({MeasureKind(each) for each in done} | reported)


async def exceptions(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    within: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Rows:
    """Households on assistance without plan or lead, or whose plan another helper has signed."""
    query = _with_plan_and_lead().where(
        in_divisions(Household.division_code, divisions),
        in_divisions(Household.division_code, within),
        or_(Plan.plan_id.is_(None), Pairing.pairing_id.is_(None), _other_helper()),
    )
    if after is not None:
        query = query.where(Household.household_id > after)
    rows = await session.execute(query.order_by(Household.household_id).limit(limit))
    return rows.mappings().all()


def _other_helper() -> ColumnElement[bool]:
    return and_(Plan.plan_id.is_not(None), Plan.lead_signed_by != Helper.officer_id)


def _with_plan_and_lead() -> Select[*tuple[Any, ...]]:
    in_force = and_(
        Plan.household_id == Household.household_id, Plan.state == PlanState.IN_FORCE.value
    )
    lead = and_(
        Pairing.household_id == Household.household_id, Pairing.lead, Pairing.ended_on.is_(None)
    )
    return (
        select(
            Household.household_id,
            Household.household_no,
            Household.division_code,
            Household.category,
            Plan.plan_id.is_(None).label("plan_missing"),
            Pairing.pairing_id.is_(None).label("lead_missing"),
            func.coalesce(_other_helper(), False).label("signed_by_another"),
        )
        .select_from(Household)
        .outerjoin(Plan, in_force)
        .outerjoin(Pairing, lead)
        .outerjoin(Helper, Helper.helper_id == Pairing.helper_id)
        .where(Household.state.in_([each.value for each in State if each.on_assistance]))
    )
