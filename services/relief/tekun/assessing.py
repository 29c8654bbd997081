"""Assessing how able tekun people are, and looking again at a reported change (R25, TK 21-23).

The only writers of tekun_assessments and tekun_reassessments. History is kept: what was entered is
confirmed or withdrawn once, and never changed. Writers of one person wait for each other.
"""

from dataclasses import asdict
from datetime import date
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.faults import refuse_if
from services.relief.tekun import records
from services.relief.tekun.actions import order_settling
from services.relief.tekun.models import Assessment, Reassessment
from services.relief.tekun.records import Household
from services.relief.tekun.selfcare import (
    LEGAL_WORKING_DAYS,
    REASSESS_WORKING_DAYS,
    ChangeReason,
    Entry,
    confirmation_fault,
    day_faults,
    entry_faults,
    level_of,
    person_faults,
    reassess_by,
)
from shared import audit, clock, identity, workdays
from shared.auth import Caller, officer_of
from shared.errors import Conflict, Fault, NotFound
from shared.parameter_values import value_at


async def enter(session: AsyncSession, caller: Caller, household_id: UUID, entry: Entry) -> UUID:
    """Enter an assessment, which counts once another officer confirms it; gives its id.

    An earlier one of the same person that still waits is withdrawn. Raises NotFound, Forbidden
    without an officer, and Refused listing every fault.
    """
    officer = officer_of(caller)
    home = await known_household(session, caller, household_id)
    refuse_if(tekun_faults(home) + entry_faults(entry, home.members, today=clock.today()))
    await _hold_person(session, entry.person_id)
    await _withdraw_waiting(session, entry.person_id)
    row = asdict(entry) | {
        "assessment_id": identity.new_id(),
        "household_id": household_id,
        "division_code": home.division_code,
        "failed": [item.value for item in entry.failed],
        "level": level_of(entry.failed).value,
        "assessor": officer,
        "entered_at": clock.now(),
    }
    await session.execute(insert(Assessment), [row])
    await _record(session, caller, "tekun_assessment.entered", home, row["assessment_id"])
    return UUID(str(row["assessment_id"]))


async def confirm(session: AsyncSession, caller: Caller, assessment_id: UUID) -> None:
    """Put an assessment in force from next month, as its second officer.

    Closes the reported change that it looked at, and orders that the household be settled. The same
    officer confirming again changes nothing. Raises NotFound, Forbidden without an officer, and
    Conflict (``same_officer``, ``assessment_withdrawn``, ``assessment_confirmed``).
    """
    officer = officer_of(caller)
    row = await records.assessment_by_id(session, assessment_id, caller.divisions, lock=True)
    if row is None:
        raise NotFound("assessment_unknown", f"no assessment {assessment_id}")
    if row["confirmed_by"] == officer:
        return
    fault = confirmation_fault(
        assessor=row["assessor"],
        officer=officer,
        withdrawn=row["withdrawn_at"] is not None,
        confirmed=row["confirmed_at"] is not None,
    )
    if fault is not None:
        raise Conflict(*fault)
    home = await known_household(session, caller, row["household_id"])
    today = clock.today()
    signed = {"confirmed_by": officer, "confirmed_at": clock.now(), "confirmed_on": today}
    this_one = Assessment.assessment_id == assessment_id
    await session.execute(update(Assessment).where(this_one).values(signed))
    await session.execute(
        update(Reassessment)
        .where(
            Reassessment.person_id == row["person_id"],
            Reassessment.closed_on.is_(None),
            Reassessment.reported_on <= row["assessed_on"],
        )
        .values(closed_on=today, assessment_id=assessment_id)
    )
    await order_settling(session, caller, row["household_id"], home.division_code)
    await _record(session, caller, "tekun_assessment.confirmed", home, assessment_id)


async def report_change(
    session: AsyncSession,
    caller: Caller,
    household_id: UUID,
    *,
    person_id: UUID,
    reason: ChangeReason,
    reported_on: date,
) -> UUID:
    """Ask for a person to be looked at again within the working days of TK 23; gives the id.

    Raises NotFound, Forbidden without an officer, Refused listing every fault, and Conflict
    (``reassessment_open``, ``assessed_since``).
    """
    officer = officer_of(caller)
    home = await known_household(session, caller, household_id)
    faults = tekun_faults(home) + person_faults(person_id, home.members)
    refuse_if(faults + day_faults("reported_on", reported_on, today=clock.today()))
    await _hold_person(session, person_id)
    await _refuse_second_report(session, person_id, reported_on)
    days = await _working_days(session, home.division_code)
    due = reassess_by(reported_on, days, await workdays.load(session))
    row = {
        "reassessment_id": identity.new_id(),
        "household_id": household_id,
        "person_id": person_id,
        "division_code": home.division_code,
        "reason": reason.value,
        "reported_on": reported_on,
        "reported_by": officer,
        "working_days": days,
        "due_on": due.on,
        "due_provisional": due.provisional,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Reassessment), [row])
    await _record(session, caller, "tekun_change.reported", home, row["reassessment_id"])
    return UUID(str(row["reassessment_id"]))


async def recount_provisional(session: AsyncSession, _day: date) -> bool:
    """A turn of the day: count anew each provisional last day whose year is announced by now."""
    rows = (await session.execute(_KNOWN_BY_NOW)).all()
    calendar = await workdays.load(session) if rows else None
    for row in rows:
        due = reassess_by(row.reported_on, row.working_days, calendar or workdays.Calendar())
        this_one = Reassessment.reassessment_id == row.reassessment_id
        values = {"due_on": due.on, "due_provisional": due.provisional}
        await session.execute(update(Reassessment).where(this_one).values(values))
    return False


async def known_household(session: AsyncSession, caller: Caller, household_id: UUID) -> Household:
    """The household, where the caller may see it. Raises NotFound (``household_unknown``)."""
    found = await records.household(session, household_id, caller.divisions)
    if found is None:
        raise NotFound("household_unknown", f"no household {household_id}")
    return found


def tekun_faults(home: Household) -> list[Fault]:
    """That a household is not tekun and on assistance now."""
    if home.is_tekun:
        return []
    return [Fault("path/household_id", "household_not_tekun", "该户不是在册特困人员家庭")]


async def _hold_person(session: AsyncSession, person_id: UUID) -> None:
    name = f"bangfu.tekun_person:{person_id}"
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def _withdraw_waiting(session: AsyncSession, person_id: UUID) -> None:
    waiting = (
        Assessment.person_id == person_id,
        Assessment.confirmed_at.is_(None),
        Assessment.withdrawn_at.is_(None),
    )
    await session.execute(update(Assessment).where(*waiting).values(withdrawn_at=clock.now()))


async def _refuse_second_report(session: AsyncSession, person_id: UUID, reported_on: date) -> None:
    waiting = await records.open_reassessment(session, person_id)
    if waiting is not None:
        detail = f"a reassessment is due already, by {waiting['due_on']}"
        raise Conflict("reassessment_open", detail)
    if await records.assessed_since(session, person_id, reported_on):
        raise Conflict("assessed_since", f"this person was assessed on or after {reported_on}")


async def _working_days(session: AsyncSession, division_code: str) -> int:
    found = await value_at(session, REASSESS_WORKING_DAYS, division_code, clock.today())
    return LEGAL_WORKING_DAYS if found is None else int(found.value)


async def _record(
    session: AsyncSession, caller: Caller, action: str, home: Household, record_id: object
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="household",
        subject_id=home.household_id,
        division_code=home.division_code,
        detail={"record_id": str(record_id)},
    )


_KNOWN_BY_NOW = text("""
    SELECT reassessment_id, reported_on, working_days FROM tekun_reassessments
    JOIN working_days ON working_days.day = due_on
    WHERE due_provisional AND closed_on IS NULL ORDER BY reassessment_id
""")
