"""A dropout case as callers see it: with the step that is due on the day they ask."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.dropout import queries
from services.education.dropout.rules import (
    STEP_KEYS,
    Kind,
    Outcome,
    Reporter,
    Step,
    days_absent,
    due_step,
)
from shared import clock


class DueStepView(BaseModel):
    """The step of dropout control that is due, and since which day."""

    model_config = ConfigDict(from_attributes=True)

    step: Step
    since: date


class CaseView(BaseModel):
    """One case. ``due`` is null before the first step and once the case is closed.

    ``parameters_missing`` names the steps' parameters without an approved value here; those steps
    are passed over. ``proof_kind`` is ``document`` or ``enrolment``, and ``proof`` its reference.
    """

    model_config = ConfigDict(from_attributes=True)

    case_id: UUID
    person_id: UUID
    household_id: UUID
    division_code: str
    kind: Kind
    reported_by: Reporter
    absent_since: date
    opened_on: date
    opened_by: str
    days_absent: int
    due: DueStepView | None
    parameters_missing: list[str]
    outcome: Outcome | None
    proof_kind: str | None
    proof: str | None
    closed_on: date | None
    closed_by: str | None


async def views(session: AsyncSession, cases: Sequence[RowMapping]) -> list[CaseView]:
    """These cases with their due steps as of today; a closed one is counted to its last day."""
    today = clock.today()
    known = await queries.step_days(session, {case["division_code"] for case in cases}, today)
    found = []
    for case in cases:
        days = known[case["division_code"]]
        is_open = case["closed_on"] is None
        due = due_step(case["absent_since"], today, days) if is_open else None
        missing = [key for step, key in STEP_KEYS.items() if step not in days]
        fields = {
            **case,
            "days_absent": days_absent(case["absent_since"], case["closed_on"] or today),
            "due": due,
            "parameters_missing": missing if is_open else [],
        }
        found.append(CaseView.model_validate(fields))
    return found
