"""How a look at two people who may be one ends. Pure.

What makes a pair stands in the database function ``note_duplicates``: the same name and birth date,
or a phone that two people of different households share and no more than a handful (a village
cadre's stands in many files). The same ID number cannot be: it is unique over all counties.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.registry.households.rules import day_faults, fault, officer_faults
from shared.errors import Fault


class CandidateState(StrEnum):
    """Where a pair stands."""

    OPEN = "open"
    DISMISSED = "dismissed"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Who of the two is kept, from when the other counts no longer, and why.

    With ``merge_households`` his file becomes part of the kept one's; otherwise he alone leaves his
    household as entered in error, and ``new_head_person_id`` follows him if he is its head.
    """

    kept_person_id: UUID
    valid_from: date
    merge_households: bool
    new_head_person_id: UUID | None = None
    reason: str


def dismissal_faults(reason: str, *, officer_id: str | None) -> list[Fault]:
    """Both are people of their own: signed, in words."""
    faults = officer_faults(officer_id)
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults


def confirmation_faults(
    confirmation: Confirmation, pair: frozenset[UUID], *, officer_id: str | None, today: date
) -> list[Fault]:
    """The kept one is one of the two; and all that a dismissal needs."""
    faults = dismissal_faults(confirmation.reason, officer_id=officer_id)
    faults += day_faults("valid_from", confirmation.valid_from, today=today)
    if confirmation.kept_person_id not in pair:
        faults.append(fault("kept_person_id", "person_unknown", "保留的人员不是这两人之一"))
    return faults
