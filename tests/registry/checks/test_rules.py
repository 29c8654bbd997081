"""Income above the line to the fen, and which two checks carry a lift."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.checks.rules import (
    PastCheck,
    Survey,
    basis_of,
    judge,
    per_capita,
    survey_faults,
)
from services.registry.households import rules as households
from services.registry.households.facts import Facts
from shared import clock
from shared.contracts.registry import Category, Incomes, Member, Relation, Sex, State

LINE = Decimal(1150)
G4600 = Decimal(4600)
HEAD = UUID(int=1)


def incomes(**amounts: str) -> Incomes:
    return Incomes(**{kind: Decimal(amount) for kind, amount in amounts.items()})


def survey(*, food_and_clothing: bool = True, **amounts: str) -> Survey:
    return Survey(
        checked_on=date(2026, 6, 1),
        incomes=incomes(**amounts),
        food_and_clothing=food_and_clothing,
    )


@pytest.mark.parametrize(
    ("amounts", "n", "month", "year"),
    [
        ({"wage": "30000", "business": "-5000"}, 3, "833.33", "10000.00"),
        ({"wage": "13800"}, 1, "1150.00", "13800.00"),
        ({"wage": "13800.05"}, 1, "1150.00", "13800.05"),
        ({"wage": "13800.06"}, 1, "1150.01", "13800.06"),
        ({"wage": "1", "business": "1", "property": "1", "transfer": "1"}, 3, "0.11", "1.33"),
        ({"wage": "0"}, 1, "0.00", "0.00"),
    ],
)
def test_income_a_head_is_summed_first_and_rounded_once(
    amounts: dict[str, str], n: int, month: str, year: str
) -> None:
    found = incomes(**amounts)

    assert (str(per_capita(found, n)), str(per_capita(found, n, 12))) == (month, year)


@given(
    wage=st.decimals(0, 10**6, places=2),
    loss=st.decimals(0, 10**6, places=2),
    n=st.integers(1, 12),
)
def test_a_loss_reduces_nothing(wage: Decimal, loss: Decimal, n: int) -> None:
    with_loss = Incomes(wage=wage, business=-loss)

    assert per_capita(with_loss, n) == per_capita(Incomes(wage=wage), n)
    assert abs(per_capita(with_loss, n) * 12 * n - wage) <= Decimal("0.06") * n


@pytest.mark.parametrize(
    ("wage", "n", "shortfalls"),
    [
        ("13799.88", 1, ["income_not_above_line"]),
        ("13800.00", 1, ["income_not_above_line"]),
        ("13800.12", 1, []),
        ("41400.00", 3, ["income_not_above_line"]),
        ("41400.36", 3, []),
    ],
)
def test_income_must_be_strictly_above_the_line(wage: str, n: int, shortfalls: list[str]) -> None:
    verdict = judge(survey(wage=wage), n=n, category=Category.DIBAO, line=LINE, g4600_limit=None)

    assert list(verdict.shortfalls) == shortfalls
    assert verdict.passed == (shortfalls == [])


@pytest.mark.parametrize(
    ("wage", "line", "shortfalls"),
    [
        ("4600.00", "100", ["income_not_above_4600"]),
        ("4600.01", "100", []),
        ("4600.01", "1150", ["income_not_above_line"]),
        ("4600.00", "1150", ["income_not_above_line", "income_not_above_4600"]),
    ],
)
def test_the_4600_group_must_be_above_both(wage: str, line: str, shortfalls: list[str]) -> None:
    verdict = judge(
        survey(wage=wage),
        n=1,
        category=Category.GROUP_4600,
        line=Decimal(line),
        g4600_limit=G4600,
    )

    assert list(verdict.shortfalls) == shortfalls


def test_the_yearly_limit_is_of_the_4600_group_alone() -> None:
    found = judge(
        survey(wage="4000"), n=1, category=Category.DIBAO, line=Decimal(100), g4600_limit=G4600
    )

    assert found.passed


def test_who_has_to_worry_for_food_and_clothing_does_not_pass() -> None:
    hungry = survey(wage="60000", food_and_clothing=False)

    verdict = judge(hungry, n=1, category=Category.DIBAO, line=LINE, g4600_limit=None)

    assert list(verdict.shortfalls) == ["food_and_clothing_missing"]


def facts(**given: Any) -> Facts:
    head = Member(person_id=HEAD, relation=Relation.HEAD, sex=Sex.MALE, birth_date=date(1980, 1, 1))
    accepted = Facts(
        category=Category.DIBAO,
        division_code="331124002221",
        head_person_id=HEAD,
        members=(head,),
    )
    on = date(2026, 3, 20)
    return households.identified(accepted, on=on, origin="application").model_copy(update=given)


def codes(now: Facts, then: Facts | None, found: Survey, **given: Any) -> list[str]:
    known: dict[str, Any] = {"officer_id": "o7", "today": date(2026, 7, 1)}
    return [fault.code for fault in survey_faults(now, then, found, **(known | given))]


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 3, 19), ["before_episode"]),
        (date(2026, 3, 20), []),
        (date(2026, 7, 1), []),
        (date(2026, 7, 2), ["date_in_future"]),
    ],
)
def test_a_check_is_made_within_the_episode_and_not_ahead(on: date, expected: list[str]) -> None:
    found = Survey(checked_on=on, incomes=incomes(wage="1"), food_and_clothing=True)

    assert codes(facts(), facts(), found) == expected


@pytest.mark.parametrize("state", State)
def test_only_households_on_assistance_are_checked(state: State) -> None:
    expected = [] if state.on_assistance else ["not_on_assistance"]

    assert codes(facts(state=state), facts(), survey(wage="1")) == expected


def test_every_fault_of_a_check_is_listed() -> None:
    nobody = facts(members=())
    found = Survey(
        checked_on=date(2026, 7, 2),
        incomes=incomes(wage="-1", property="1000000000000"),
        food_and_clothing=True,
    )

    assert codes(facts(), nobody, found, officer_id=None) == [
        "officer_missing",
        "date_in_future",
        "amount_negative",
        "amount_too_large",
        "nobody_counts",
    ]


def check(number: int, on: date, *, passed: bool = True, officer: str = "o7") -> PastCheck:
    return PastCheck(check_id=UUID(int=number), checked_on=on, passed=passed, officer_id=officer)


JAN, JUL = date(2026, 1, 20), date(2026, 7, 20)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("checks", "first", "second", "failed"),
    [
        ([], None, None, False),
        ([check(1, JAN)], 1, None, False),
        ([check(1, JAN), check(2, JUL - DAY)], 1, None, False),
        ([check(1, JAN), check(2, JUL)], 1, 2, False),
        ([check(2, JUL), check(1, JAN)], 1, 2, False),
        ([check(1, JAN), check(2, JUL), check(3, JUL + DAY)], 1, 2, False),
        ([check(1, JAN), check(2, JUL - DAY), check(3, JUL)], 1, 3, False),
        ([check(1, JAN), check(2, JUL, passed=False)], None, None, True),
        ([check(1, JAN), check(2, JAN + DAY, passed=False), check(3, JUL)], 3, None, False),
        ([check(1, JAN, passed=False), check(2, JAN), check(3, JUL)], 2, 3, False),
        ([check(1, JAN), check(2, JAN, passed=False), check(3, JUL)], 3, None, False),
    ],
)
def test_two_passed_far_enough_apart_and_none_failed_since(
    checks: list[PastCheck], first: int | None, second: int | None, *, failed: bool
) -> None:
    basis = basis_of(checks, 6)

    found = [each.check_id.int if each else None for each in (basis.first, basis.second)]
    assert found == [first, second]
    assert basis.failed is failed


@given(
    st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.booleans()), max_size=12)
)
def test_what_carries_a_lift_always_passed_and_lies_apart(found: list[tuple[date, bool]]) -> None:
    checks = [check(at, on, passed=passed) for at, (on, passed) in enumerate(found)]

    basis = basis_of(checks, 6)

    if basis.first and basis.second:
        assert basis.second.checked_on >= clock.add_months(basis.first.checked_on, 6)
        since = [each for each in checks if each.checked_on > basis.first.checked_on]
        assert all(each.passed for each in [basis.first, basis.second, *since])
    assert basis.failed == bool(
        checks and not max(checks, key=lambda each: (each.checked_on, each.check_id)).passed
    )
