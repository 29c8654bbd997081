"""Asking for a plan where one is due, and ending the plans of who left (C53).

The households capability calls it within the change itself, so it imports none of its writers.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.helpers.fitting import Refit
from services.registry.helpers.rules import is_helped
from services.registry.plans.models import Plan
from services.registry.plans.rules import DRAFT_WORKING_DAYS, PlanState
from services.registry.tasks import actions as tasks
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from services.registry.tasks.queries import deadlines
from shared import clock

_OPEN = (PlanState.DRAFT.value, PlanState.IN_FORCE.value)


async def rewatch(session: AsyncSession, changes: Sequence[Refit]) -> None:
    """Ask for a plan where a household came on assistance or changed category; end the others'."""
    asking: dict[date, list[Refit]] = {}
    for each in changes:
        if _needs_plan(each):
            asking.setdefault(each.day, []).append(each)
        elif each.old.state.on_assistance and not each.new.state.on_assistance:
            await tasks.close_task(session, kind=TaskKind.PLAN, subject_id=each.household_id)
        if is_helped(each.old.state) and not is_helped(each.new.state):
            await _end(session, each.household_id, each.day)
    for day, some in asking.items():
        await ask(session, {each.household_id: each.new.division_code for each in some}, day)


async def bring_back(session: AsyncSession, household_id: UUID, ended_on: date) -> None:
    """Let the plan and the draft that ended because the household left on a day go on."""
    for approved, state in ((True, PlanState.IN_FORCE), (False, PlanState.DRAFT)):
        last = (
            select(Plan.plan_id)
            .where(Plan.household_id == household_id, Plan.state == PlanState.ENDED.value)
            .where(Plan.ended_on == func.greatest(ended_on, Plan.drafted_on))
            .where(Plan.approved_on.is_not(None) if approved else Plan.approved_on.is_(None))
            .order_by(Plan.version.desc())
            .limit(1)
        )
        again = await session.scalar(
            update(Plan)
            .where(Plan.plan_id == last.scalar_subquery())
            .values(
                state=state.value,
                ended_on=None,
                revision=Plan.revision + 1,
                recorded_at=clock.now(),
            )
            .returning(Plan.plan_id)
        )
        if approved and again is not None:
            await tasks.close_task(session, kind=TaskKind.PLAN, subject_id=household_id)


def _needs_plan(change: Refit) -> bool:
    old, new = change.old, change.new
    began = not old.state.on_assistance or old.category is not new.category
    return new.state.on_assistance and began


async def ask(session: AsyncSession, places: Mapping[UUID, str], day: date) -> None:
    """Put ``plan`` on the board for households by their villages, due by the county's days."""
    limits = await deadlines(session, DRAFT_WORKING_DAYS, set(places.values()), day)
    await tasks.open_tasks(
        session,
        [
            Opening(
                kind=TaskKind.PLAN,
                subject_id=household_id,
                household_id=household_id,
                division_code=place,
                due=limits[place],
            )
            for household_id, place in places.items()
        ],
    )


async def _end(session: AsyncSession, household_id: UUID, day: date) -> None:
    await session.execute(
        update(Plan)
        .where(Plan.household_id == household_id, Plan.state.in_(_OPEN))
        .values(
            state=PlanState.ENDED.value,
            ended_on=func.greatest(day, Plan.drafted_on),
            revision=Plan.revision + 1,
            recorded_at=clock.now(),
        )
    )
    await tasks.close_task(session, kind=TaskKind.PLAN_RESULT, subject_id=household_id)
