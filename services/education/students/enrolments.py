"""A school reports an enrolment that it found by itself (C33); beside ``actions``, as a writer.

It answers a task to find out, closes an open dropout case, and counts until the registry says
something new about that person.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.education.dropout import actions as dropout
from services.education.dropout import queries as cases
from services.education.dropout.rules import Outcome
from services.education.students import actions
from services.education.students.files import ENROLMENT, Home
from shared import audit, clock
from shared.auth import Caller
from shared.contracts.registry import SchoolStage
from shared.errors import Fault, Refused

PROOF_KIND = "enrolment"
"""How a case that an enrolment closed says what proved it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What became of a report: the statement, and the case that it closed, if any."""

    enrolment_id: UUID
    closed_case_id: UUID | None


async def report_enrolment(
    session: AsyncSession,
    caller: Caller,
    person_id: UUID,
    *,
    stage: SchoolStage,
    from_day: date,
    school_code: str | None,
) -> Reported:
    """Keep an enrolment and settle the household by it.

    Raises NotFound (``person_unknown``) and Refused (``from_impossible``).
    """
    home = await actions.hold_home(session, caller, person_id)
    today = clock.today()
    if not home.birth_date <= from_day <= today:
        text = f"an enrolment begins between the child's birth and today, {today}"
        raise Refused("from_impossible", text, faults=[Fault("#/from", "from_impossible", text)])
    officer = caller.officer_id or caller.sub
    enrolment_id = await actions.state_about(
        session,
        home,
        kind=ENROLMENT,
        from_day=from_day,
        reported_by=officer,
        stage=stage.value,
        school_code=school_code,
    )
    closed = await _close_case(
        session, caller, home, stage=stage, from_day=from_day, enrolment_id=enrolment_id
    )
    await actions.settle_households(session, [home.household_id], today)
    await audit.record(
        session,
        caller,
        action="enrolment.reported",
        subject_type="student",
        subject_id=person_id,
        division_code=home.division_code,
        detail={"stage": stage.value, "enrolment_id": str(enrolment_id)},
    )
    return Reported(enrolment_id=enrolment_id, closed_case_id=closed)


async def _close_case(
    session: AsyncSession,
    caller: Caller,
    home: Home,
    *,
    stage: SchoolStage,
    from_day: date,
    enrolment_id: UUID,
) -> UUID | None:
    """Close the child's open case, unless the enrolment is older than the absence: no answer."""
    case_id = (await cases.open_cases(session, [home.person_id])).get(home.person_id)
    if case_id is None or stage is SchoolStage.PRESCHOOL:
        return None
    case = await cases.case_by_id(session, case_id, caller.divisions, lock=True)
    if case is None or case["closed_on"] is not None or from_day < case["absent_since"]:
        return None
    await dropout.end_case(
        session,
        case,
        outcome=Outcome.BACK_AT_SCHOOL,
        proof_kind=PROOF_KIND,
        proof=str(enrolment_id),
        closed_on=from_day,
        closed_by=caller.officer_id or caller.sub,
    )
    return case_id
