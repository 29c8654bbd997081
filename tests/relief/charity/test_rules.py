"""Charity's rules as tables, with both sides of every boundary (C54, C61)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.relief.charity import accounts, rules
from services.relief.charity.accounts import Aid, Flows
from services.relief.charity.rules import (
    ChangeGround,
    DeclaredRelation,
    DonationKind,
    Earmark,
    Gift,
    Holding,
    Line,
    Purpose,
    ValueBasis,
)
from services.relief.payments.rules import Programme
from shared.errors import Fault

TODAY = date(2026, 6, 15)
ONE, TWO = UUID(int=1), UUID(int=2)
GOODS: dict[str, Any] = {
    "kind": DonationKind.GOODS,
    "item": "棉被",
    "quantity": Decimal(20),
    "unit": "床",
    "value_basis": ValueBasis.INVOICE,
}


def codes(faults: list[Fault]) -> list[str]:
    return [fault.code for fault in faults]


def gift(**changes: Any) -> Gift:
    known: dict[str, Any] = {
        "kind": DonationKind.CASH,
        "amount": Decimal("100.00"),
        "received_on": TODAY,
        "earmark": Earmark(),
    }
    return Gift(**(known | changes))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"received_on": TODAY + timedelta(days=1)}, ["date_in_future"]),
        ({"item": "棉被"}, ["not_of_money"]),
        (GOODS, []),
        (GOODS | {"value_basis": None}, ["value_basis_missing"]),
        (
            {"kind": DonationKind.GOODS},
            ["item_missing", "quantity_missing", "unit_missing", "value_basis_missing"],
        ),
        ({"public_fund": True, "appeal_no": "备2026-3"}, []),
        ({"public_fund": True}, ["appeal_no_mismatch"]),
        ({"appeal_no": "备2026-3"}, ["appeal_no_mismatch"]),
        (
            {"public_fund": True, "appeal_no": "备3", "earmark": Earmark(household_id=ONE)},
            ["appeal_for_one_household"],
        ),
        ({"earmark": Earmark(household_id=ONE)}, []),
    ],
)
def test_a_receipt_is_whole(changes: dict[str, Any], found: list[str]) -> None:
    faults = rules.gift_faults(gift(**changes), household_people=(), donor_person=None, today=TODAY)
    assert codes(faults) == found


@pytest.mark.parametrize(
    ("donor", "found"), [(ONE, ["donor_related"]), (UUID(int=9), []), (None, [])]
)
def test_a_donor_names_no_household_of_their_own(donor: UUID | None, found: list[str]) -> None:
    assert codes(rules.donor_faults({ONE, TWO}, donor)) == found


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (-1, ["announcement_running"]),
        (0, ["announcement_running"]),
        (59, ["announcement_running"]),
        (60, ["announcement_running"]),
        (61, []),
        (62, []),
    ],
)
def test_an_announced_change_waits_for_the_61st_day(days: int, found: list[str]) -> None:
    faults = rules.change_faults(
        Earmark(purpose=Purpose.MEDICAL),
        ground=ChangeGround.ANNOUNCEMENT,
        announced_on=TODAY - timedelta(days=days),
        donor_known=True,
        public_fund=False,
        today=TODAY,
    )
    assert codes(faults) == found


def test_the_first_day_of_a_change_by_the_worked_example() -> None:
    assert rules.first_day_of_change(date(2026, 1, 1)) == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("ground", "announced_on", "donor_known", "public_fund", "found"),
    [
        (ChangeGround.CONSENT, None, True, False, []),
        (ChangeGround.CONSENT, None, False, False, ["donor_unknown"]),
        (ChangeGround.CONSENT, TODAY, True, False, ["not_announced"]),
        (ChangeGround.ANNOUNCEMENT, None, True, False, ["announced_on_missing"]),
        (ChangeGround.ANNOUNCEMENT, date(2026, 1, 1), False, False, []),
        (ChangeGround.CONSENT, None, True, True, ["appeal_for_one_household"]),
    ],
)
def test_what_allows_another_earmark(
    ground: ChangeGround,
    announced_on: date | None,
    *,
    donor_known: bool,
    public_fund: bool,
    found: list[str],
) -> None:
    faults = rules.change_faults(
        Earmark(household_id=ONE),
        ground=ground,
        announced_on=announced_on,
        donor_known=donor_known,
        public_fund=public_fund,
        today=TODAY,
    )
    assert codes(faults) == found


def holding(**changes: Any) -> Holding:
    known: dict[str, Any] = {
        "left": Decimal("100.00"),
        "earmark": Earmark(),
        "corrected": False,
        "same_federation": True,
    }
    return Holding(**(known | changes))


@pytest.mark.parametrize(
    ("amount", "changes", "found"),
    [
        ("99.99", {}, []),
        ("100.00", {}, []),
        ("100.01", {}, ["balance_too_low"]),
        ("1.00", {"corrected": True}, ["donation_corrected"]),
        ("1.00", {"same_federation": False}, ["donation_unknown"]),
        ("1.00", {"earmark": Earmark(purpose=Purpose.LIVING)}, []),
        ("1.00", {"earmark": Earmark(purpose=Purpose.EDUCATION)}, ["earmark_purpose"]),
        ("1.00", {"earmark": Earmark(household_id=ONE)}, []),
        ("1.00", {"earmark": Earmark(household_id=TWO)}, ["earmark_household"]),
        (
            "100.01",
            {"earmark": Earmark(purpose=Purpose.EDUCATION, household_id=TWO)},
            ["balance_too_low", "earmark_purpose", "earmark_household"],
        ),
    ],
)
def test_what_may_be_taken_from_a_donation(
    amount: str, changes: dict[str, Any], found: list[str]
) -> None:
    lines = [Line(donation_id=ONE, amount=Decimal(amount))]
    held = {ONE: holding(**changes)}
    faults = rules.line_faults(lines, held, purpose=Purpose.LIVING, household_id=ONE)
    assert codes(faults) == found


def test_a_donation_stands_in_one_line_and_is_known() -> None:
    lines = [Line(donation_id=each, amount=Decimal(60)) for each in (ONE, ONE, TWO)]
    faults = rules.line_faults(lines, {ONE: holding()}, purpose=Purpose.LIVING, household_id=ONE)
    assert [(fault.where, fault.code) for fault in faults] == [
        ("#/lines/1/donation_id", "donation_twice"),
        ("#/lines/2/donation_id", "donation_unknown"),
    ]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"managers": {TWO}}, ["beneficiary_related"]),
        ({"managers": {UUID(int=9)}}, []),
        ({"declared": DeclaredRelation.BUSINESS}, ["beneficiary_related"]),
        ({"categorised": False}, ["reason_missing"]),
        ({"categorised": False, "reason": "  "}, ["reason_missing"]),
        ({"categorised": False, "reason": "突发火灾"}, []),
        ({"closed": True}, ["household_closed"]),
    ],
)
def test_who_may_be_helped(changes: dict[str, Any], found: list[str]) -> None:
    known: dict[str, Any] = {
        "managers": set(),
        "people": {ONE, TWO},
        "declared": DeclaredRelation.NONE,
        "categorised": True,
        "closed": False,
        "reason": None,
    }
    assert codes(rules.beneficiary_faults(**(known | changes))) == found


@pytest.mark.parametrize(
    ("approve", "reason", "officer", "found"),
    [
        (True, "", "o2", []),
        (True, "", "o1", ["same_officer"]),
        (False, " ", "o2", ["reason_missing"]),
        (False, "重复", "o2", []),
        (False, "", "o1", ["same_officer", "reason_missing"]),
    ],
)
def test_who_decides(*, approve: bool, reason: str, officer: str, found: list[str]) -> None:
    faults = rules.decision_faults(
        approve=approve, reason=reason, officer=officer, proposed_by="o1"
    )
    assert codes(faults) == found


@pytest.mark.parametrize(("shift", "fine"), [(-4, False), (-3, True), (0, True), (1, False)])
def test_the_day_of_a_hand_over(shift: int, *, fine: bool) -> None:
    decided_on = TODAY - timedelta(days=3)
    faults = rules.hand_over_faults(
        TODAY + timedelta(days=shift), decided_on=decided_on, today=TODAY
    )
    assert (not faults) is fine


def aid(number: int, purpose: Purpose, month: int) -> Aid:
    return Aid(
        aid_id=UUID(int=number),
        source="charity",
        programme="charity",
        purpose=purpose,
        fund="charity-331124",
        month=date(2026, month, 1),
        amount=Decimal(1),
        status="approved",
        granted_on=TODAY,
    )


def test_help_for_one_purpose_in_one_month_is_double() -> None:
    aids = [
        aid(1, Purpose.LIVING, 5),
        aid(2, Purpose.LIVING, 5),
        aid(3, Purpose.LIVING, 6),
        aid(4, Purpose.MEDICAL, 5),
    ]
    assert accounts.doubled(aids) == {UUID(int=1), UUID(int=2)}


def test_every_programme_has_a_purpose() -> None:
    """A new programme without one would never be noticed as double help."""
    assert set(accounts.PURPOSE_OF) == set(Programme)


def test_what_a_donor_is_told() -> None:
    told = accounts.feedback_text(
        receipt_no=7,
        kind=DonationKind.CASH,
        amount=Decimal("100.00"),
        used=[(Purpose.EDUCATION, 2, Decimal("80.00"))],
        left=Decimal("20.00"),
        today=date(2026, 12, 5),
    )
    assert told == (
        "您捐赠的款项(收据第7号,100.00元)截至2026年12月5日已用于:助学2户80.00元。"
        "尚余20.00元。感谢您的善举。"
    )


@pytest.mark.parametrize(
    ("kind", "name_public", "shown"),
    [
        ("organisation", True, "松阳茶业"),
        ("organisation", False, "爱心人士"),
        ("person", True, "爱心人士"),
        (None, False, "爱心人士"),
    ],
)
def test_how_a_donor_is_published(kind: str | None, *, name_public: bool, shown: str) -> None:
    name = None if kind is None else "松阳茶业"
    assert accounts.published_donor(kind, name, name_public=name_public) == shown


FEN = st.integers(min_value=0, max_value=10**11).map(lambda fen: Decimal(fen) / 100)
STEP = st.tuples(FEN, FEN, FEN)


@given(st.lists(STEP, max_size=6), st.lists(STEP, max_size=6))
def test_the_books_of_a_period_add_up_to_the_fen(
    earlier: list[tuple[Decimal, ...]], later: list[tuple[Decimal, ...]]
) -> None:
    """Whatever came and went before and in the period."""

    def after(steps: list[tuple[Decimal, ...]]) -> Flows:
        received, allocated, handed = (
            rules.total_of([step[at] for step in steps]) for at in range(3)
        )
        return Flows(received=received, allocated=allocated, handed_over=handed)

    books = accounts.balance(after(earlier), after(earlier + later))
    assert books.opening + books.received == books.allocated + books.left
    whole = accounts.balance(after([]), after(earlier + later))
    assert whole.received == whole.allocated + whole.left
    assert whole.allocated == whole.handed_over + whole.waiting
    assert (whole.left, whole.waiting) == (books.left, books.waiting)
