"""When a move may be agreed, refused and carried out (section 5, "move"; one payer a month).

The county that holds the file lets go from a day on; the one that asked takes over from that day or
a later one. Whoever is gone on a day is counted there no longer, so that the old county pays the
month of the move and the new one the next. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.households.rules import day_faults, fault, officer_faults
from shared.contracts.registry import State
from shared.errors import Fault


class TransferState(StrEnum):
    """How far a transfer has come. ``lapsed``: who was wanted came into the county another way."""

    REQUESTED = "requested"
    AGREED = "agreed"
    REFUSED = "refused"
    TAKEN_OVER = "taken_over"
    LAPSED = "lapsed"


ENDED: Mapping[TransferState, str] = {
    TransferState.AGREED: "transfer_agreed",
    TransferState.REFUSED: "transfer_refused",
    TransferState.TAKEN_OVER: "transfer_done",
    TransferState.LAPSED: "transfer_lapsed",
}
"""Why a transfer that has come this far cannot be decided once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the holder lets go from ``moves_on`` on: the person alone, or the whole household.

    ``new_head_person_id`` follows where the person is the head and the others stay.
    """

    moves_on: date
    whole_household: bool
    new_head_person_id: UUID | None = None
    reason: str = ""


def agreement_faults(
    facts: Facts | None, person_id: UUID, agreement: Agreement, *, officer_id: str | None
) -> list[Fault]:
    """All that speaks against letting go; ``facts`` are of the open household he stands in.

    Example: the head of three moves alone: ``head_missing`` until it is named who follows; the only
    one of his household: ``whole_household_needed``, for a file is not left without anybody.
    """
    faults = officer_faults(officer_id)
    if agreement.whole_household:
        if facts is None:
            faults.append(fault("whole_household", "not_in_household", "该人员不在任何家庭档案中"))
        return faults
    if facts is None:
        return faults
    staying = [member for member in facts.members if member.person_id != person_id]
    if not any(member.counted for member in staying):
        message = "该人员迁出后家庭没有计入人口的成员,应整户转移"
        faults.append(fault("whole_household", "whole_household_needed", message))
    elif facts.head_person_id == person_id and not _follows(facts, person_id, agreement):
        message = "户主迁出须指定留下的成员为新户主"
        faults.append(fault("new_head_person_id", "head_missing", message))
    return faults


def _follows(facts: Facts, person_id: UUID, agreement: Agreement) -> bool:
    named = agreement.new_head_person_id
    return named is not None and named != person_id and facts.member(named) is not None


def refusal_faults(reason: str, *, officer_id: str | None) -> list[Fault]:
    """A refusal is signed and says in words why."""
    faults = officer_faults(officer_id)
    if not reason.strip():
        faults.append(fault("reason", "reason_missing", "须以文字写明理由"))
    return faults


def offer_faults(facts: Facts, to: str, *, officer_id: str | None) -> list[Fault]:
    """All that speaks against offering a household to another village."""
    faults = officer_faults(officer_id)
    if facts.state is State.CLOSED:
        faults.append(fault("", "household_closed", "档案已终止,不能转移"))
    if facts.division_code == to:
        faults.append(fault("to", "already_there", "该户已在该行政村"))
    return faults


def take_over_faults(
    valid_from: date, moves_on: date, *, officer_id: str | None, today: date
) -> list[Fault]:
    """Not before the holder lets go, nor on a day that has not come.

    Example: let go from 2026-05-14 on: 2026-05-13 is ``before_move``, the 14th is right.
    """
    faults = officer_faults(officer_id) + day_faults("valid_from", valid_from, today=today)
    if valid_from < moves_on:
        message = f"原管辖地自{moves_on}起移交,接收日期不能更早"
        faults.append(fault("valid_from", "before_move", message))
    return faults
