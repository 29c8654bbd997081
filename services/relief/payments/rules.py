"""Which month may be paid when, and who stands in the way of a payment (C13, R13)."""

from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.clock import next_month


class Programme(StrEnum):
    """What is paid by runs."""

    DIBAO = "dibao"


FUNDS = {Programme.DIBAO: "dibao"}
"""The fund a programme's money comes from."""


class ExceptionCode(StrEnum):
    """Why a household that is due was not paid."""

    PERSON_ALREADY_PAID = "person_already_paid"


def is_payable(month: date, today: date) -> bool:
    """Whether a month may be paid already: next month's money is prepared, later months' is not.

    Grants run from the month after a decision (R13), so the first that may be due is the next.
    Example: on 2026-11-30, 2026-12 may be paid and 2027-01 may not.
    """
    return month <= next_month(today)


def confirmation_fault(
    *, ordered_on: date, ordered_by: str, paid_on: date, officer: str, today: date
) -> tuple[str, str] | None:
    """Why a run's money cannot be confirmed as paid, as code and text; None where it can.

    Two people: who ordered a run does not confirm it (R29, split of roles). Example: ordered on
    2026-11-28 by o1, paid on 2026-12-05: o2 may confirm it from that day on, o1 never.
    """
    if officer == ordered_by:
        return "same_officer", "who ordered a run cannot confirm its payment: ask a colleague"
    if not ordered_on <= paid_on <= today:
        return "paid_on_impossible", f"paid_on lies between {ordered_on} and today, {today}"
    return None


def unpaid_people(
    members: Mapping[UUID, Collection[UUID]], claimed: Collection[tuple[UUID, UUID]]
) -> dict[UUID, list[UUID]]:
    """By household, the members who could not be claimed for it: others were paid for them.

    Such a household is not paid, for nobody counts twice in one month of a programme. ``claimed``
    are (household, person). Example: h1 has a and b, only (h1, a) was claimed -> {h1: [b]}.
    """
    taken = set(claimed)
    missing = {
        household_id: sorted(person for person in people if (household_id, person) not in taken)
        for household_id, people in members.items()
    }
    return {household_id: people for household_id, people in missing.items() if people}
