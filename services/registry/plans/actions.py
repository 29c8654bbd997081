"""Drafting a household's plan, signing it, bringing it into force, and noting what came of it.

The household is locked first, so of two drafts or two approvals at once the second is refused.
"""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, insert, update
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.helpers import queries as helpers
from services.registry.households import actions as households
from services.registry.households import sealed
from services.registry.households.actions import File
from services.registry.households.refusals import refuse_if
from services.registry.plans import queries, rules
from services.registry.plans.measures import MeasureKind
from services.registry.plans.models import Plan, PlanMeasure, PlanResult
from services.registry.plans.rules import (
    Content,
    Drafted,
    Measure,
    MeasureState,
    Period,
    PlanState,
)
from services.registry.tasks import actions as tasks
from services.registry.tasks.models import TaskKind
from shared import audit, clock, identity
from shared.auth import Caller
from shared.contracts.registry import Category, Cause
from shared.errors import Conflict, NotFound, PreconditionFailed


async def draft(
    session: AsyncSession, caller: Caller, household_id: UUID, content: Content
) -> UUID:
    """Draft the next version of a household's plan; gives its id.

    Raises NotFound, Refused listing every fault, Conflict (``plan_drafted``) while a draft is open.
    """
    file = await households.lock_one(session, caller, household_id)
    today = clock.today()
    refuse_if(rules.content_faults(file.facts, content, officer_id=caller.officer_id, today=today))
    known = await queries.plans_of(session, household_id, divisions=caller.divisions)
    if any(row["state"] == PlanState.DRAFT for row in known):
        raise Conflict("plan_drafted", "a draft is open: change it, or bring it into force")
    plan_id = identity.new_id()
    row = _content(file, content) | {
        "plan_id": plan_id,
        "household_id": household_id,
        "division_code": file.facts.division_code,
        "version": 1 + max((row["version"] for row in known), default=0),
        "state": PlanState.DRAFT.value,
        "drafted_on": today,
        "drafted_by": caller.officer_id,
        "revision": 1,
    }
    await session.execute(insert(Plan), [row])
    await _store_measures(session, file, plan_id, content.measures)
    await _note(session, caller, "plan.drafted", file, plan_id)
    return plan_id


async def redraft(
    session: AsyncSession, caller: Caller, plan_id: UUID, revision: int, content: Content
) -> None:
    """Change a draft; who had signed it signs again. Raises as ``draft``, and 412."""
    plan, file = await _opened(session, caller, plan_id, revision)
    today = clock.today()
    refuse_if(rules.content_faults(file.facts, content, officer_id=caller.officer_id, today=today))
    await session.execute(delete(PlanMeasure).where(PlanMeasure.plan_id == plan_id))
    await _store_measures(session, file, plan_id, content.measures)
    unsigned = {"agreed_on": None, "lead_signed_on": None, "lead_signed_by": None}
    drafted = {"drafted_on": today, "drafted_by": caller.officer_id}
    await _change(session, plan, _content(file, content) | unsigned | drafted)
    await _note(session, caller, "plan.drafted", file, plan_id)


async def sign(
    session: AsyncSession, caller: Caller, plan_id: UUID, revision: int, agreed_on: date
) -> None:
    """The lead helper signs, and says when the household agreed."""
    plan, file = await _opened(session, caller, plan_id, revision)
    measures = [_measure(row) for row in await queries.measures_of(session, plan_id)]
    refuse_if(
        rules.lead_faults(
            file.facts,
            _drafted(plan),
            measures,
            lead=await helpers.lead_officer(session, file.household_id),
            officer_id=caller.officer_id,
            agreed_on=agreed_on,
            today=clock.today(),
        )
    )
    signed = {"lead_signed_on": clock.today(), "lead_signed_by": caller.officer_id}
    await _change(session, plan, signed | {"agreed_on": agreed_on})
    await _note(session, caller, "plan.signed", file, plan_id)


async def approve(
    session: AsyncSession, caller: Caller, plan_id: UUID, revision: int, approved_on: date
) -> None:
    """Bring a signed plan into force; it replaces the one before, which stays readable."""
    plan, file = await _opened(session, caller, plan_id, revision)
    refuse_if(
        rules.approval_faults(
            file.facts,
            _drafted(plan),
            lead=await helpers.lead_officer(session, file.household_id),
            officer_id=caller.officer_id,
            on=approved_on,
            today=clock.today(),
        )
    )
    await session.execute(
        update(Plan)
        .where(Plan.household_id == file.household_id, Plan.state == PlanState.IN_FORCE.value)
        .values(
            state=PlanState.REPLACED.value,
            ended_on=approved_on,
            revision=Plan.revision + 1,
            recorded_at=clock.now(),
        )
    )
    approved = {"approved_on": approved_on, "approved_by": caller.officer_id}
    await _change(session, plan, approved | {"state": PlanState.IN_FORCE.value})
    await tasks.close_task(session, kind=TaskKind.PLAN, subject_id=file.household_id)
    await _note(session, caller, "plan.approved", file, plan_id)


async def end_measure(
    session: AsyncSession, caller: Caller, measure_id: UUID, on: date, reason: str | None
) -> UUID:
    """Note that a measure was carried out, or with ``reason`` that it is dropped; gives its plan.

    Raises NotFound, Conflict (``measure_ended``, ``plan_not_in_force``) or Refused.
    """
    seen = await queries.measure(session, measure_id, divisions=caller.divisions)
    if seen is None:
        raise NotFound("measure_not_found", "no such measure in the caller's divisions")
    file = await households.lock_one(session, caller, seen["household_id"])
    row = await queries.measure(session, measure_id, divisions=caller.divisions)
    if row is None or row["state"] != MeasureState.PLANNED:
        raise Conflict("measure_ended", "this measure was carried out or dropped already")
    if row["plan_state"] != PlanState.IN_FORCE:
        raise Conflict("plan_not_in_force", f"its plan is {row['plan_state']}")
    field = "carried_out_on" if reason is None else "dropped_on"
    faults = rules.measure_end_faults(
        field,
        on,
        reason,
        begins_on=row["begins_on"],
        officer_id=caller.officer_id,
        today=clock.today(),
    )
    refuse_if(faults)
    state = MeasureState.CARRIED_OUT if reason is None else MeasureState.DROPPED
    await session.execute(
        update(PlanMeasure)
        .where(PlanMeasure.measure_id == measure_id)
        .values(
            state=state.value,
            ended_on=on,
            ended_by=caller.officer_id,
            reason_encrypted=sealed.seal_words(reason) if reason else None,
            recorded_at=clock.now(),
        )
    )
    await _note(session, caller, f"plan_measure.{state}", file, row["plan_id"])
    return UUID(str(row["plan_id"]))


async def enter_result(
    session: AsyncSession,
    caller: Caller,
    household_id: UUID,
    *,
    year: int,
    income: Decimal,
    words: str,
) -> None:
    """Enter what a household reached in a year of its plan, once.

    Raises NotFound, Conflict (``result_entered``), or Refused listing every fault.
    """
    file = await households.lock_one(session, caller, household_id)
    plans = await queries.plans_of(session, household_id, divisions=caller.divisions)
    ran = {
        row["plan_id"]: Period(row["approved_on"], row["ended_on"])
        for row in plans
        if row["approved_on"]
    }
    today, officer = clock.today(), caller.officer_id
    periods = list(ran.values())
    refuse_if(rules.result_faults(year, income, periods, officer_id=officer, today=today))
    plan_id = [each for each, period in ran.items() if period.ran_in(year)][-1]
    entered = await session.scalar(
        insert_unless(PlanResult)
        .values(
            household_id=household_id,
            year=year,
            plan_id=plan_id,
            division_code=file.facts.division_code,
            income=income,
            words_encrypted=sealed.seal_words(words),
            entered_on=today,
            entered_by=caller.officer_id,
            recorded_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(PlanResult.year)
    )
    if entered is None:
        raise Conflict("result_entered", f"the result of {year} is entered already")
    # The board asks for the year before this one; an older year entered late leaves that open.
    if year == today.year - 1:
        await tasks.close_task(session, kind=TaskKind.PLAN_RESULT, subject_id=household_id)
    await _note(session, caller, "plan_result.entered", file, plan_id)


async def _opened(
    session: AsyncSession, caller: Caller, plan_id: UUID, revision: int
) -> tuple[RowMapping, File]:
    """A draft with its household, which is locked. Raises NotFound, Conflict or 412."""
    seen = await queries.one(session, plan_id, divisions=caller.divisions)
    if seen is None:
        raise NotFound("plan_not_found", "no such plan in the caller's divisions")
    file = await households.lock_one(session, caller, seen["household_id"])
    plan = await queries.one(session, plan_id, divisions=caller.divisions)
    if plan is None or plan["revision"] != revision:
        raise PreconditionFailed("plan_changed", "the plan changed since it was read")
    if plan["state"] != PlanState.DRAFT:
        raise Conflict("plan_not_a_draft", f"this plan is {plan['state']}: draft the next version")
    return plan, file


def _content(file: File, content: Content) -> dict[str, Any]:
    return {
        "category": file.facts.category,
        "causes": list(file.facts.causes),
        "target_income": content.target_income,
        "arable_mu": content.arable_mu,
        "forest_mu": content.forest_mu,
        "words_encrypted": sealed.seal_words(content.words),
        "recorded_at": clock.now(),
    }


async def _store_measures(
    session: AsyncSession, file: File, plan_id: UUID, measures: tuple[Measure, ...]
) -> None:
    shared = {
        "plan_id": plan_id,
        "household_id": file.household_id,
        "division_code": file.facts.division_code,
        "state": MeasureState.PLANNED.value,
        "recorded_at": clock.now(),
    }
    rows = [shared | asdict(one) | {"measure_id": identity.new_id()} for one in measures]
    if rows:
        await session.execute(insert(PlanMeasure), rows)


def _measure(row: RowMapping) -> Measure:
    given = {name: row[name] for name in Measure.__dataclass_fields__}
    known = {"kind": MeasureKind(row["kind"]), "cause": Cause(row["cause"])}
    return Measure(**given | known)


def _drafted(plan: RowMapping) -> Drafted:
    return Drafted(
        category=Category(plan["category"]) if plan["category"] else None,
        causes=[Cause(each) for each in plan["causes"]],
        drafted_by=plan["drafted_by"],
        drafted_on=plan["drafted_on"],
        lead_signed_by=plan["lead_signed_by"],
        agreed_on=plan["agreed_on"],
    )


async def _change(session: AsyncSession, plan: RowMapping, columns: dict[str, Any]) -> None:
    await session.execute(
        update(Plan)
        .where(Plan.plan_id == plan["plan_id"])
        .values(**columns | {"revision": plan["revision"] + 1, "recorded_at": clock.now()})
    )


async def _note(
    session: AsyncSession, caller: Caller, action: str, file: File, plan_id: UUID
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=file.household_id,
        division_code=file.facts.division_code,
        detail={"plan_id": str(plan_id)},
    )
