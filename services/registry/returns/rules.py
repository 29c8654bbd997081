"""Which signs of hardship open a return check, and how one may be dismissed (C7, section 5).

Each sign at a household that was lifted or struck off opens a check of its own within five working
days; relief comes first if it is urgent. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from shared.contracts.registry import State
from shared.errors import Fault

CHECK_WORKING_DAYS = "return.check_working_days"
"""The parameter with the working days within which a return check is due."""

CHECKED_STATES = frozenset({State.LIFTED, State.EXITED})


class ReportedKind(StrEnum):
    """Signs that a township reports itself."""

    ILLNESS = "illness"
    DISASTER = "disaster"
    ACCIDENT = "accident"
    JOB_LOSS = "job_loss"
    DEATH_OF_EARNER = "death_of_earner"
    OTHER = "other"


class CheckOutcome(StrEnum):
    """How a return check ended."""

    RETURNED = "returned"
    DISMISSED = "dismissed"
    FILE_CLOSED = "file_closed"


ENDED_BY: Mapping[State, CheckOutcome] = {
    State.RETURNED: CheckOutcome.RETURNED,
    State.CLOSED: CheckOutcome.FILE_CLOSED,
}
"""States that end every open return check of the household."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A sign of hardship as a township reports it; ``amount`` in yuan, what it costs them."""

    kind: ReportedKind
    detected_on: date
    amount: Decimal | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismissal:
    """That a visit found no return to poverty."""

    return_check_id: UUID
    reason: str
    visited_on: date


def opens_check(state: State) -> bool:
    """Whether a sign asks for a visit. Example: lifted and exited do; on assistance it is kept."""
    return state in CHECKED_STATES


def sign_faults(facts: Facts, sign: Sign, *, today: date) -> list[Fault]:
    """All that speaks against a reported sign. ``other`` says in words what it is."""
    if facts.state is State.CLOSED:
        return [fault("", "household_closed", "档案已终止,不能登记困难情形")]
    faults = day_faults("detected_on", sign.detected_on, today=today)
    if sign.kind is ReportedKind.OTHER and not sign.note.strip():
        faults.append(fault("note", "note_missing", "其他情形须以文字说明"))
    return faults


def dismissal_faults(
    dismissal: Dismissal, *, detected_on: date, officer_id: str | None, today: date
) -> list[Fault]:
    """All that speaks against a dismissal: it takes a visit after the sign, and a reason."""
    faults = officer_faults(officer_id)
    faults += day_faults("visited_on", dismissal.visited_on, today=today)
    if dismissal.visited_on < detected_on:
        faults.append(fault("visited_on", "visit_before_sign", "入户日期不能早于发现日期"))
    if not dismissal.reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults
