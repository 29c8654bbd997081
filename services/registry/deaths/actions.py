"""The review that a death asks for: a task from the day it is entered, ended by an income check."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.deaths import rules
from services.registry.helpers.fitting import Refit
from services.registry.households.facts import LeaveReason
from services.registry.households.models import Member
from services.registry.tasks import actions as tasks
from services.registry.tasks.models import TaskKind
from shared import parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Somebody of a household on assistance died on a day."""

    household_id: UUID
    division_code: str
    died_on: date


async def ask_reviews(session: AsyncSession, deaths: Sequence[Death]) -> None:
    """Put a review on the board for each of these households, one at a time a household."""
    for death in deaths:
        months = await parameters.value_at(
            session, rules.REVIEW_MONTHS, death.division_code, death.died_on
        )
        await tasks.open_task(
            session,
            kind=TaskKind.DEATH_REVIEW,
            subject_id=death.household_id,
            household_id=death.household_id,
            division_code=death.division_code,
            due_on=rules.due_on(death.died_on, months.value if months else None),
        )


async def take_along(
    session: AsyncSession, household_id: UUID, to_household_id: UUID, division_code: str
) -> None:
    """Let a household's review be that of the one it becomes part of, on the day it was due."""
    await tasks.hand_task(
        session,
        kind=TaskKind.DEATH_REVIEW,
        subject_id=household_id,
        to_household_id=to_household_id,
        division_code=division_code,
    )


async def rewatch(session: AsyncSession, changes: Sequence[Refit]) -> None:
    """Whoever leaves assistance is reviewed no more: its death review comes off the board."""
    left = [
        each.household_id
        for each in changes
        if each.old.state.on_assistance and not each.new.state.on_assistance
    ]
    await tasks.close_tasks(session, kind=TaskKind.DEATH_REVIEW, subject_ids=left)


async def end_with_check(session: AsyncSession, household_id: UUID, checked_on: date) -> None:
    """Take the household's review off the board if this income check is it."""
    days = await session.scalars(
        select(Member.left_on)
        .where(Member.household_id == household_id)
        .where(Member.left_reason == LeaveReason.DIED.value)
    )
    if rules.answers(checked_on, [day for day in days if day]):
        await tasks.close_task(session, kind=TaskKind.DEATH_REVIEW, subject_id=household_id)
