"""Opening and closing dropout cases; the guarantee follows in the same transaction (C33, C8)."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.dropout import queries
from services.education.dropout.models import DropoutCase
from services.education.dropout.rules import (
    Kind,
    Outcome,
    Reporter,
    closing_faults,
    opening_faults,
)
from services.education.students import actions as students
from services.education.students import queries as pupils
from services.education.students.files import Home, Statement, stage_of
from services.education.students.rules import Pupil, exemption
from shared import audit, clock, events, identity
from shared.auth import Caller
from shared.contracts.assistance import AssistanceEvent, Hardship, HardshipKind
from shared.contracts.topics import EDUCATION_ASSISTANCE
from shared.errors import Conflict, Fault, NotFound, Refused, TryAgain


async def open_case(
    session: AsyncSession,
    caller: Caller,
    person_id: UUID,
    *,
    absent_since: date,
    reported_by: Reporter,
    kind: Kind,
) -> UUID:
    """Report a child missing at school: the hardship is published, the guarantee turns red.

    Raises NotFound (``person_unknown``), Refused (the day; ``not_of_compulsory_age``) and Conflict
    (``dropout_open``).
    """
    home = await students.hold_home(session, caller, person_id)
    statement = (await pupils.statements_of(session, [person_id])).get(person_id)
    today = clock.today()
    _refuse(opening_faults(absent_since, home.birth_date, today))
    _refuse_age(home, statement, today)
    row = {
        "case_id": identity.new_id(),
        "person_id": person_id,
        "household_id": home.household_id,
        "division_code": home.division_code,
        "kind": kind.value,
        "reported_by": reported_by.value,
        "absent_since": absent_since,
        "opened_by": caller.officer_id or caller.sub,
        "opened_on": today,
        "opened_at": clock.now(),
    }
    opening = insert_or_skip(DropoutCase).on_conflict_do_nothing().returning(DropoutCase.case_id)
    opened = (await session.execute(opening, [row])).scalar_one_or_none()
    if opened is None:
        raise Conflict("dropout_open", f"an open case of {person_id} is being followed already")
    await events.publish(session, [_hardship(row)])
    await students.settle_households(session, [home.household_id], today)
    await _record(session, caller, "dropout.opened", row, {"kind": kind.value})
    return opened


async def close_case(
    session: AsyncSession,
    caller: Caller,
    case_id: UUID,
    *,
    outcome: Outcome,
    proof: str | None,
    closed_on: date,
) -> None:
    """End a case. What was proved counts until the registry says something new about the child.

    Raises NotFound (``dropout_unknown``), Conflict (``dropout_closed``) and Refused listing every
    fault (``proof_missing``, ``closed_on_impossible``).
    """
    seen = await queries.case_by_id(session, case_id, caller.divisions)
    if seen is None:
        raise NotFound("dropout_unknown", f"no dropout case {case_id}")
    homes = await students.homes_now(session, [seen["person_id"]])
    home = homes.get(seen["person_id"])
    households = {seen["household_id"]} | ({home.household_id} if home else set())
    await students.hold_households(session, sorted(households))
    current = (await students.homes_now(session, [seen["person_id"]])).get(seen["person_id"])
    if current is not None and current.household_id not in households:
        raise TryAgain("person_moving", "the child is just moving to another household")
    case = await queries.case_by_id(session, case_id, caller.divisions, lock=True)
    if case is None or case["closed_on"] is not None:
        raise Conflict("dropout_closed", f"the case {case_id} is closed already")
    _refuse(
        closing_faults(
            outcome,
            proof,
            closed_on=closed_on,
            absent_since=case["absent_since"],
            today=clock.today(),
        )
    )
    officer = caller.officer_id or caller.sub
    await end_case(
        session,
        case,
        outcome=outcome,
        proof_kind="document" if proof else None,
        proof=proof,
        closed_on=closed_on,
        closed_by=officer,
    )
    if current is not None and outcome.needs_proof:
        await students.state_about(
            session, current, kind=outcome.value, from_day=closed_on, reported_by=officer
        )
    await students.settle_households(session, sorted(households), clock.today())
    await _record(session, caller, "dropout.closed", case, {"outcome": outcome.value})


async def end_case(
    session: AsyncSession,
    case: RowMapping,
    *,
    outcome: Outcome,
    proof_kind: str | None,
    proof: str | None,
    closed_on: date,
    closed_by: str,
) -> None:
    """Write how a locked, open case ended; its household is settled by the caller."""
    ended = update(DropoutCase).where(DropoutCase.case_id == case["case_id"])
    await session.execute(
        ended.values(
            outcome=outcome.value,
            proof_kind=proof_kind,
            proof=proof,
            closed_on=closed_on,
            closed_by=closed_by,
            closed_at=clock.now(),
        )
    )


def _refuse(faults: list[Fault]) -> None:
    if faults:
        detail = "; ".join(fault.message for fault in faults)
        raise Refused(faults[0].code, detail, faults=faults)


def _refuse_age(home: Home, statement: Statement | None, today: date) -> None:
    pupil = Pupil(
        person_id=home.person_id,
        birth_date=home.birth_date,
        education=home.education,
        stage=stage_of(home, statement),
    )
    why_not = exemption(pupil, today)
    if why_not is not None:
        text = f"dropout control is for children of compulsory age; this person: {why_not.value}"
        raise Refused(
            "not_of_compulsory_age", text, faults=[Fault("#/person_id", why_not.value, text)]
        )


def _hardship(case: dict[str, Any]) -> events.NewEvent:
    return events.NewEvent(
        topic=EDUCATION_ASSISTANCE,
        type=AssistanceEvent.HARDSHIP_DETECTED,
        subject=case["case_id"],
        version=1,
        payload=Hardship(
            hardship_id=case["case_id"],
            household_id=case["household_id"],
            kind=HardshipKind.DROPOUT,
            detected_on=case["opened_on"],
        ),
    )


async def _record(
    session: AsyncSession, caller: Caller, action: str, case: Any, detail: dict[str, str]
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="dropout_case",
        subject_id=case["case_id"],
        division_code=case["division_code"],
        detail=detail,
    )
