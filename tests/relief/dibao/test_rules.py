"""R9, R10, R13, C11, C25: one case a sentence, both sides of every boundary."""

from datetime import date
from decimal import Decimal

import pytest

from services.relief.dibao.rules import (
    Reason,
    counted_income,
    decide,
    grant_amount,
    schedule,
)
from shared.contracts.registry import Category, Incomes, RuleSet, State
from tests.relief.dibao.facts import line, period, told

DEC = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("value", "people", "income", "amount"),
    [
        ("600", 3, "14400", 600),  # the example of R10
        ("664", 3, "23880", 2),  # divided a head first it would be 3
        ("600", 1, "7200", 0),  # exactly L*n: strict, R9
        ("600", 1, "7199.99", 1),  # one fen a year under: rounded up to the yuan
        ("600", 1, "7200.01", 0),
        ("600", 1, "7188.00", 1),  # exactly one yuan a month under
        ("600", 1, "7187.99", 2),
        ("1150", 1, "0", 1150),
        ("1150", 7, "96599.99", 1),
        ("1150.50", 2, "0", 2301),
        ("1150.55", 1, "0", 1151),
        ("600", 3, "99999999.99", 0),
    ],
)
def test_r10_the_grant(value: str, people: int, income: str, amount: int) -> None:
    reckoned = grant_amount(line=Decimal(value), people=people, yearly_income=Decimal(income))
    assert reckoned == amount
    assert reckoned == reckoned.to_integral_value()


@pytest.mark.parametrize(
    ("income", "reason"),
    [
        ("7199.99", Reason.ENTITLED),
        ("7200.00", Reason.INCOME_NOT_BELOW_LINE),
        ("7200.01", Reason.INCOME_NOT_BELOW_LINE),
    ],
)
def test_r9_income_at_the_line_gives_nothing(income: str, reason: Reason) -> None:
    facts = period(date(2026, 11, 1), n=1, income=income)
    decision = decide(DEC, facts, facts, line("600"))
    assert decision.reason is reason
    assert decision.entitled, "the household stays on dibao; relief only finds nothing to pay"


@pytest.mark.parametrize(
    ("incomes", "counted"),
    [
        (Incomes(wage=Decimal(12000), business=Decimal(-5000)), 12000),
        (Incomes(business=Decimal(-1), property=Decimal(-2), transfer=Decimal(-3)), 0),
        (
            Incomes(
                wage=Decimal(1), business=Decimal(2), property=Decimal(3), transfer=Decimal("4.5")
            ),
            Decimal("10.5"),
        ),
    ],
)
def test_r3_a_loss_counts_nothing_and_lowers_no_other_income(
    incomes: Incomes, counted: Decimal
) -> None:
    assert counted_income(incomes) == counted


@pytest.mark.parametrize(
    ("decided_on", "first_month"),
    [
        (date(2026, 11, 30), date(2026, 12, 1)),
        (date(2026, 12, 1), date(2027, 1, 1)),
        (date(2026, 12, 31), date(2027, 1, 1)),
        (date(2024, 2, 29), date(2024, 3, 1)),
    ],
)
def test_r13_paid_from_the_month_after_the_decision(decided_on: date, first_month: date) -> None:
    assert told(schedule([period(decided_on)], [line()])) == [(first_month, 600, Reason.ENTITLED)]


@pytest.mark.parametrize(
    ("stopped_on", "first_month_unpaid"),
    [
        (date(2026, 6, 1), date(2026, 7, 1)),  # decided on the 1st: June is still paid
        (date(2026, 5, 31), date(2026, 6, 1)),
        (date(2026, 6, 30), date(2026, 7, 1)),
    ],
)
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.LIFTED, Reason.LIFTED),
        (State.EXITED, Reason.EXITED),
        (State.CLOSED, Reason.CLOSED),
        (State.ACCEPTED, Reason.NOT_ASSISTED),
    ],
)
def test_c25_stopped_from_the_month_after(
    stopped_on: date, first_month_unpaid: date, state: State, reason: Reason
) -> None:
    periods = [period(date(2026, 1, 5)), period(stopped_on, state=state)]
    assert told(schedule(periods, [line()])) == [
        (date(2026, 2, 1), 600, Reason.ENTITLED),
        (first_month_unpaid, 0, reason),
    ]


def test_a_category_that_is_not_dibao_gives_nothing() -> None:
    for category in Category:
        if category is not Category.DIBAO:
            assert schedule([period(date(2026, 1, 5), category=category)], [line()]) == []
    moved = [
        period(date(2026, 1, 5)),
        period(date(2026, 3, 5), category=Category.DIBAO_MARGINAL),
    ]
    assert told(schedule(moved, [line()]))[-1] == (date(2026, 4, 1), 0, Reason.NOT_DIBAO)


@pytest.mark.parametrize("state", [State.LIFTED, State.EXITED])
@pytest.mark.parametrize(
    ("kept_until", "first_month_unpaid"),
    [
        (date(2026, 7, 31), date(2026, 8, 1)),
        (date(2026, 8, 1), date(2026, 9, 1)),  # reaches into August: August is paid
        (date(2026, 8, 31), date(2026, 9, 1)),
    ],
)
def test_kept_policy_pays_on_with_what_was_last_reckoned(
    state: State, kept_until: date, first_month_unpaid: date
) -> None:
    periods = [
        period(date(2026, 1, 5)),
        period(date(2026, 5, 4), state=state, income="90000", keep_policy_until=kept_until),
    ]
    reason = Reason.LIFTED if state is State.LIFTED else Reason.EXITED
    assert told(schedule(periods, [line()])) == [
        (date(2026, 2, 1), 600, Reason.ENTITLED),
        (date(2026, 6, 1), 600, Reason.KEPT),
        (first_month_unpaid, 0, reason),
    ]


def test_kept_policy_follows_a_new_line() -> None:
    periods = [
        period(date(2026, 1, 5)),
        period(date(2026, 5, 4), state=State.LIFTED, keep_policy_until=date(2026, 12, 31)),
    ]
    raised = schedule(periods, [line(), line("700", date(2026, 7, 1), 2)])
    assert told(raised)[1:3] == [
        (date(2026, 6, 1), 600, Reason.KEPT),
        (date(2026, 7, 1), 900, Reason.KEPT),
    ]


def test_kept_policy_that_ended_before_the_stop_holds_nothing() -> None:
    past = period(date(2026, 5, 4), state=State.LIFTED, keep_policy_until=date(2026, 5, 31))
    assert told(schedule([period(date(2026, 1, 5)), past], [line()]))[-1] == (
        date(2026, 6, 1),
        0,
        Reason.LIFTED,
    )


def test_a_closed_file_keeps_no_policy() -> None:
    closed = period(date(2026, 5, 4), state=State.CLOSED, keep_policy_until=date(2027, 1, 1))
    assert told(schedule([period(date(2026, 1, 5)), closed], [line()]))[-1] == (
        date(2026, 6, 1),
        0,
        Reason.CLOSED,
    )


def test_returned_runs_again_under_the_same_file() -> None:
    periods = [
        period(date(2026, 1, 5)),
        period(date(2026, 3, 9), state=State.EXITED),
        period(date(2026, 10, 31), state=State.RETURNED, income="0"),
    ]
    assert told(schedule(periods, [line()])) == [
        (date(2026, 2, 1), 600, Reason.ENTITLED),
        (date(2026, 4, 1), 0, Reason.EXITED),
        (date(2026, 11, 1), 1800, Reason.ENTITLED),
    ]


@pytest.mark.parametrize(
    ("valid_from", "first_month"),
    [
        (date(2026, 12, 31), date(2027, 1, 1)),
        (date(2027, 1, 1), date(2027, 1, 1)),  # in force on the first day of the month it pays
        (date(2027, 1, 2), date(2027, 2, 1)),
    ],
)
def test_c11_the_line_of_the_first_day_pays_the_month(valid_from: date, first_month: date) -> None:
    decisions = schedule([period(date(2026, 10, 8))], [line(), line("700", valid_from, 2)])
    assert told(decisions) == [
        (date(2026, 11, 1), 600, Reason.ENTITLED),
        (first_month, 900, Reason.ENTITLED),
    ]
    assert decisions[1].line is not None
    assert decisions[1].line.document_number == f"丽民〔{valid_from.year}〕2号"


def test_stopped_and_raised_on_the_same_first_the_new_line_still_pays_that_month() -> None:
    periods = [period(date(2026, 1, 5)), period(date(2026, 6, 1), state=State.LIFTED)]
    assert told(schedule(periods, [line(), line("700", date(2026, 6, 1), 2)])) == [
        (date(2026, 2, 1), 600, Reason.ENTITLED),
        (date(2026, 6, 1), 900, Reason.ENTITLED),
        (date(2026, 7, 1), 0, Reason.LIFTED),
    ]


def test_kept_until_the_first_of_the_only_month_after_the_stop() -> None:
    stop = period(date(2026, 5, 4), state=State.LIFTED, keep_policy_until=date(2026, 6, 1))
    assert told(schedule([period(date(2026, 1, 5)), stop], [line()])) == [
        (date(2026, 2, 1), 600, Reason.ENTITLED),
        (date(2026, 6, 1), 600, Reason.KEPT),
        (date(2026, 7, 1), 0, Reason.LIFTED),
    ]


def test_of_two_changes_in_one_month_the_later_governs() -> None:
    periods = [period(date(2026, 11, 5)), period(date(2026, 11, 20), n=4)]
    assert told(schedule(periods, [line()])) == [(DEC, 1200, Reason.ENTITLED)]
    assert told(schedule(list(reversed(periods)), [line()])) == [(DEC, 1200, Reason.ENTITLED)]


def test_of_two_lines_in_one_month_the_later_holds_on_the_first_day() -> None:
    lines = [line(), line("700", date(2026, 12, 5), 2), line("800", date(2026, 12, 20), 3)]
    assert told(schedule([period(date(2026, 10, 8))], lines)) == [
        (date(2026, 11, 1), 600, Reason.ENTITLED),
        (date(2027, 1, 1), 1200, Reason.ENTITLED),
    ]


def test_identified_and_lifted_within_one_month_pays_nothing() -> None:
    periods = [period(date(2026, 11, 5)), period(date(2026, 11, 20), state=State.LIFTED)]
    assert schedule(periods, [line()]) == []


def test_without_a_line_the_claim_stands_and_the_amount_waits() -> None:
    lines = [line("600", date(2026, 12, 1))]
    assert told(schedule([period(date(2026, 9, 3))], lines)) == [
        (date(2026, 10, 1), None, Reason.STANDARD_MISSING),
        (DEC, 600, Reason.ENTITLED),
    ]
    assert told(schedule([period(date(2026, 9, 3))], [])) == [
        (date(2026, 10, 1), None, Reason.STANDARD_MISSING)
    ]


def test_equal_neighbours_are_merged_and_a_new_line_of_the_same_value_is_not() -> None:
    same = [period(date(2026, 1, 5)), period(date(2026, 3, 5))]
    assert told(schedule(same, [line()])) == [(date(2026, 2, 1), 600, Reason.ENTITLED)]
    again = schedule(same, [line(), line("600", date(2026, 7, 1), 2)])
    assert [each.from_month.month for each in again] == [2, 7], "the document behind it changed"


@pytest.mark.parametrize(
    ("on", "rule_set"),
    [
        (date(2016, 11, 10), RuleSet.LS2016),
        (date(2021, 6, 30), RuleSet.LS2016),
        (date(2021, 7, 1), RuleSet.CN2021),
        (date(2024, 12, 31), RuleSet.CN2021),
        (date(2025, 1, 1), RuleSet.CN2025),
    ],
)
def test_the_rule_set_goes_by_the_date_of_the_decision(on: date, rule_set: RuleSet) -> None:
    assert RuleSet.on(on) is rule_set
    assert schedule([period(on)], [line(valid_from=date(2016, 1, 1))])[0].rule_set is rule_set
