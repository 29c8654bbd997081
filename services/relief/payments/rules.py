"""Which month may be paid when, and who stands in the way of a payment (C13, R13)."""

from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.clock import next_month


class Programme(StrEnum):
    """What is paid by runs."""

    DIBAO = "dibao"
    TEKUN = "tekun"


FUNDS = {Programme.DIBAO: "dibao", Programme.TEKUN: "tekun"}
"""The fund a programme's money comes from."""
CLAIMS = {Programme.DIBAO: "living", Programme.TEKUN: "living"}
"""What a person may have once a month only, whichever programme pays it: tekun excludes dibao."""


class ExceptionCode(StrEnum):
    """Why a household that is due was not paid, or its payment not sent to the bank."""

    PERSON_ALREADY_PAID = "person_already_paid"
    PERSON_ON_TEKUN = "person_on_tekun"
    PAYEES_DIFFER = "payees_differ"
    ACCOUNT_MISSING = "account_missing"
    ACCOUNT_UNCHANGED = "account_unchanged"


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


def people_of_tekun(
    programme: Programme, members: Mapping[UUID, Collection[UUID]], on_tekun: Collection[UUID]
) -> dict[UUID, list[UUID]]:
    """By household, the members who stand in the way because they are tekun elsewhere (R24).

    Tekun comes before dibao for the same person, whichever run comes first: a dibao household that
    still counts one is not paid until the registry has him out of it. Example: dibao of a and b,
    ``on_tekun`` b -> {h1: [b]}; a run of tekun itself is never held up.
    """
    if programme is Programme.TEKUN:
        return {}
    found = {
        household_id: sorted(person for person in people if person in on_tekun)
        for household_id, people in members.items()
    }
    return {household_id: people for household_id, people in found.items() if people}


def unpaid_people(
    members: Mapping[UUID, Collection[UUID]], claimed: Collection[tuple[UUID, UUID]]
) -> dict[UUID, list[UUID]]:
    """By household, the members who could not be claimed for it: others were paid for them.

    Such a household is not paid, for nobody counts twice in one month. ``claimed`` are (household,
    person). Example: h1 has a and b, only (h1, a) was claimed -> {h1: [b]}.
    """
    taken = set(claimed)
    missing = {
        household_id: sorted(person for person in people if (household_id, person) not in taken)
        for household_id, people in members.items()
    }
    return {household_id: people for household_id, people in missing.items() if people}
