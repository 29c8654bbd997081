"""Living and medical insurance: each sentence of C8 as a row, both sides of every boundary."""

from datetime import date
from decimal import Decimal

import pytest

from services.relief.dibao.rules import Line
from services.relief.guarantees.rules import has_enough_to_live_on, is_insured
from shared.contracts.registry import Category, FactPeriod, Incomes, State
from shared.identity import new_id
from tests.support.builders import member

MAY = date(2026, 5, 1)


def living(facts: list[FactPeriod], lines: list[Line], month: date) -> bool | None:
    """As asked for all who are not tekun."""
    return has_enough_to_live_on(facts, lines, month, tekun_reckoned=False)


def line(value: str = "1150", since: date = date(2026, 1, 1)) -> Line:
    return Line(
        parameter_id=new_id(),
        value=Decimal(value),
        valid_from=since,
        document_number="丽民〔2026〕1号",
        division_code="331124",
    )


def period(
    category: Category,
    wage: str,
    *,
    n: int = 1,
    state: State = State.IDENTIFIED,
    since: date = date(2026, 3, 10),
) -> FactPeriod:
    return FactPeriod(
        valid_from=since, state=state, category=category, n=n, incomes=Incomes(wage=Decimal(wage))
    )


@pytest.mark.parametrize(
    ("category", "yearly", "n", "met"),
    [
        (Category.DIBAO, "6000", 1, True),  # 500 and a grant of 650
        (Category.DIBAO, "0", 4, True),
        (Category.DIBAO_MARGINAL, "13800.00", 1, True),  # exactly the line
        (Category.DIBAO_MARGINAL, "13799.99", 1, False),  # one fen below, and no grant
        (Category.GROUP_4600, "27600.00", 2, True),
        (Category.GROUP_4600, "27599.99", 2, False),
        (Category.EXPENDITURE_BASED, "48000", 4, False),
        (Category.EXPENDITURE_BASED, "55200", 4, True),
        (Category.TEKUN, "0", 1, None),  # its standard is not reckoned yet
    ],
)
def test_living_is_met_when_income_and_grant_reach_the_line(
    category: Category, yearly: str, n: int, met: bool | None
) -> None:
    assert living([period(category, yearly, n=n)], [line()], MAY) is met


@pytest.mark.parametrize(
    ("state", "kept_until", "reckoned", "met"),
    [
        (State.IDENTIFIED, None, True, True),
        (State.IDENTIFIED, None, False, None),
        (State.RETURNED, None, True, True),
        (State.EXITED, date(2026, 5, 31), True, True),  # kept: May's standard is still reckoned
        (State.EXITED, date(2026, 4, 30), False, False),  # ended: it lives on its income alone
        (State.LIFTED, None, False, False),
    ],
)
def test_tekun_have_enough_once_their_standard_is_reckoned(
    state: State, kept_until: date | None, reckoned: bool, met: bool | None
) -> None:
    facts = period(Category.TEKUN, "0", state=state)
    kept = facts.model_copy(update={"keep_policy_until": kept_until})
    assert has_enough_to_live_on([kept], [line()], MAY, tekun_reckoned=reckoned) is met


def test_a_reckoned_standard_of_tekun_needs_no_income_test() -> None:
    facts = period(Category.TEKUN, "0")
    assert has_enough_to_live_on([facts], [], MAY, tekun_reckoned=True) is True


def test_a_lifted_household_lives_on_its_income_alone() -> None:
    before = period(Category.DIBAO, "6000")
    for wage, met in (("13800", True), ("13799", False)):
        lifted = period(Category.DIBAO, wage, state=State.LIFTED, since=date(2026, 4, 20))
        assert living([before, lifted], [line()], MAY) is met


def test_the_line_of_the_month_counts() -> None:
    facts = [period(Category.DIBAO_MARGINAL, "13800")]
    raised = [line(), line("1150.01", date(2026, 6, 1))]
    assert living(facts, raised, MAY) is True
    assert living(facts, raised, date(2026, 6, 1)) is False


def test_without_a_line_or_before_the_first_month_nothing_is_said() -> None:
    facts = [period(Category.DIBAO, "6000")]
    assert living(facts, [], MAY) is None
    assert living(facts, [line(since=date(2026, 5, 2))], MAY) is None
    assert living(facts, [line()], date(2026, 3, 1)) is None


@pytest.mark.parametrize(
    ("insured", "met"),
    [
        ((True,), True),
        ((True, True, True), True),
        ((True, False, None), False),
        ((True, None), None),
        ((None,), None),
        ((), None),
    ],
)
def test_everybody_who_counts_must_be_insured(
    insured: tuple[bool | None, ...], met: bool | None
) -> None:
    assert is_insured([member(insured=each) for each in insured]) is met


def test_who_does_not_count_is_not_asked() -> None:
    assert is_insured([member(insured=True), member(insured=False, counted=False)]) is True
    assert is_insured([member(insured=False, counted=False)]) is None
