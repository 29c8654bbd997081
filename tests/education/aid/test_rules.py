"""Terms, amounts, who is due and who may sign (C36; policy section 6, Education)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.education.aid.rules import (
    AID_BY_STAGE,
    Term,
    due_category,
    order_fault,
    parse_term,
    payment_fault,
    term_amount,
)
from shared.contracts.registry import Category, FactPeriod, SchoolStage, State
from tests.education.support import period

AUTUMN, SPRING = Term(2026, "autumn"), Term(2027, "spring")
LATE = date(2027, 1, 31)


def test_a_term_runs_to_the_next() -> None:
    assert (AUTUMN.start, AUTUMN.end) == (date(2026, 9, 1), date(2027, 1, 31))
    assert (SPRING.start, SPRING.end) == (date(2027, 2, 1), date(2027, 8, 31))


@pytest.mark.parametrize("term", [AUTUMN, SPRING])
def test_a_term_is_written_and_read(term: Term) -> None:
    assert parse_term(str(term)) == term


@pytest.mark.parametrize(
    "written",
    ["", "2026", "2026-summer", "26-autumn", "2026-Autumn", "2026-autumn ", "２０２６-autumn"],
)
def test_anything_else_is_no_term(written: str) -> None:
    with pytest.raises(ValueError, match="write a term"):
        parse_term(written)


@pytest.mark.parametrize(
    ("today", "code"),
    [
        (date(2026, 12, 31), "term_too_early"),
        (date(2027, 1, 1), None),
        (date(2027, 2, 1), None),
        (date(2027, 8, 31), None),
        (date(2027, 9, 1), "term_over"),
    ],
)
def test_when_spring_may_be_ordered(today: date, code: str | None) -> None:
    fault = order_fault(SPRING, today)
    assert (fault and fault[0]) == code


@pytest.mark.parametrize(
    ("a_year", "a_term"),
    [
        ("2000", "1000.00"),  # the policy's own example: a senior pupil
        ("1250", "625.00"),
        ("1000", "500.00"),
        ("1000.01", "500.01"),
        ("1000.03", "500.02"),
        ("999.99", "500.00"),
    ],
)
def test_a_term_is_half_a_year_to_the_fen(a_year: str, a_term: str) -> None:
    assert term_amount(Decimal(a_year)) == Decimal(a_term)


@given(st.decimals(min_value=1, max_value=50_000, places=2))
def test_two_terms_miss_a_year_by_a_fen_at_most(a_year: Decimal) -> None:
    assert 0 <= term_amount(a_year) * 2 - a_year <= Decimal("0.01")


def test_every_stage_at_school_has_its_aid() -> None:
    assert set(AID_BY_STAGE) == set(SchoolStage) - {SchoolStage.NOT_AT_SCHOOL}
    assert {stage.value: (aid.programme.value, aid.key) for stage, aid in AID_BY_STAGE.items()} == {
        "preschool": ("preschool_fee_cut", "edu.fee_cut.preschool"),
        "primary": ("living_subsidy", "edu.living_subsidy.primary"),
        "junior": ("living_subsidy", "edu.living_subsidy.junior"),
        "senior": ("national_grant", "edu.grant.senior"),
        "vocational": ("national_grant", "edu.grant.vocational"),
        "junior_college": ("national_grant", "edu.grant.college"),
        "college": ("national_grant", "edu.grant.college"),
    }


FIRST = AUTUMN.start
EVE = FIRST - timedelta(days=1)
AFTER = FIRST + timedelta(days=1)
BEFORE = period(date(2026, 3, 10))


@pytest.mark.parametrize(
    ("periods", "today", "due"),
    [
        # on assistance on the first day, both sides
        ([period(FIRST)], FIRST, True),
        ([BEFORE, period(FIRST, State.LIFTED)], LATE, False),
        ([BEFORE, period(AFTER, State.LIFTED)], LATE, True),
        ([period(FIRST, State.RETURNED)], FIRST, True),
        ([period(FIRST, State.ACCEPTED)], FIRST, False),
        ([], LATE, False),
        # kept, to the day
        ([BEFORE, period(EVE, State.LIFTED, keep_policy_until=FIRST)], FIRST, True),
        ([BEFORE, period(EVE, State.LIFTED, keep_policy_until=EVE)], LATE, False),
        ([BEFORE, period(EVE, State.EXITED, keep_policy_until=FIRST)], FIRST, True),
        ([BEFORE, period(EVE, State.CLOSED, keep_policy_until=FIRST)], FIRST, False),
        # identified later, once the day has come
        ([period(AFTER)], FIRST, False),
        ([period(AFTER)], AFTER, True),
        ([period(AUTUMN.end)], AUTUMN.end, True),
        ([period(AUTUMN.end + timedelta(days=1))], AUTUMN.end + timedelta(days=9), False),
        ([BEFORE, period(EVE, State.LIFTED), period(AFTER, State.RETURNED)], AFTER, True),
        # a run ordered ahead of the term reckons its first day
        ([BEFORE], EVE, True),
        ([period(FIRST)], EVE, True),
    ],
)
def test_who_is_due(periods: list[FactPeriod], today: date, due: bool) -> None:
    assert (due_category(periods, AUTUMN, today) is not None) is due


@pytest.mark.parametrize("category", Category)
def test_all_five_categories_are_due(category: Category) -> None:
    assert due_category([period(FIRST, category=category)], AUTUMN, FIRST) is category


@pytest.mark.parametrize(
    ("officer", "paid_on", "code"),
    [
        ("o2", date(2026, 9, 2), None),
        ("o2", date(2026, 9, 5), None),
        ("o2", date(2026, 9, 1), "paid_on_impossible"),
        ("o2", date(2026, 9, 6), "paid_on_impossible"),
        ("o1", date(2026, 9, 2), "same_officer"),
    ],
)
def test_who_may_mark_a_run_paid_and_for_which_day(
    officer: str, paid_on: date, code: str | None
) -> None:
    fault = payment_fault(
        ordered_on=date(2026, 9, 2),
        ordered_by="o1",
        paid_on=paid_on,
        officer=officer,
        today=date(2026, 9, 5),
    )
    assert (fault and fault[0]) == code
