"""A finding recomputes to itself, tells every number, and bends the way the law says."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.means import review
from services.registry.means.explanation import as_json, told
from services.registry.means.facts import MeansParameters, MissingParameterError, Used
from services.registry.means.review import Kind
from services.registry.means.rules import decide
from shared.contracts.registry import Category, LaborAbility, RuleSet
from tests.registry.means.cases import CN2021, CN2025, LS2016, earning, family, found, parameters

cents = st.integers(0, 6_000_000).map(lambda fen: Decimal(fen) / 100)
days = st.dates(date(2016, 1, 1), date(2026, 12, 31))


@given(cents, st.integers(1, 8), days)
def test_the_same_case_comes_to_the_same_finding(total: Decimal, n: int, on: date) -> None:
    case = earning(n, str(total))

    assert as_json(found(case, on)) == as_json(found(case, on))


@given(cents, cents, st.integers(1, 8), days)
def test_more_income_brings_nobody_into_dibao(
    less: Decimal, more: Decimal, n: int, on: date
) -> None:
    poorer, richer = sorted((less, more))
    with_more = found(earning(n, str(richer)), on).verdict(Category.DIBAO).eligible

    assert not with_more or found(earning(n, str(poorer)), on).verdict(Category.DIBAO).eligible


@given(cents, st.integers(1, 8), days)
def test_the_numbers_of_the_income_step_add_up(total: Decimal, n: int, on: date) -> None:
    finding = found(earning(n, str(total)), on)
    (step,) = [each for each in finding.steps if each.code == "income"]
    numbers = step.numbers
    summed = sum(
        (numbers[name] for name in ("wage", "business", "property", "transfer", "support")),
        numbers["imputed"] - numbers["deducted"],
    )

    assert max(Decimal(0), summed) == numbers["total"] == finding.income


@given(cents, st.integers(1, 8), days)
def test_nobody_is_both_dibao_and_marginal(total: Decimal, n: int, on: date) -> None:
    finding = found(earning(n, str(total)), on)

    both = [Category.DIBAO, Category.DIBAO_MARGINAL]
    assert not all(finding.verdict(category).eligible for category in both)


@pytest.mark.parametrize(
    ("on", "rule_set"),
    [
        (date(2021, 6, 30), RuleSet.LS2016),
        (date(2021, 7, 1), RuleSet.CN2021),
        (date(2024, 12, 31), RuleSet.CN2021),
        (date(2025, 1, 1), RuleSet.CN2025),
    ],
)
def test_the_law_is_that_of_the_decision(on: date, rule_set: RuleSet) -> None:
    assert found(earning(2, "6000"), on).rule_set is rule_set


def test_the_line_of_the_decision_pays_and_the_applications_is_shown() -> None:
    applied = Used(
        key="dibao_line",
        value=Decimal(580),
        valid_from=date(2022, 1, 1),
        document_number="丽民〔2022〕1号",
    )
    both = MeansParameters(parameters().values, line_applied=applied)

    finding = decide(earning(1, "7080"), both, CN2021)

    (law,) = [step for step in finding.steps if step.code == "law"]
    assert law.numbers == {"line": Decimal(600), "line_applied": Decimal(580)}
    assert finding.primary is Category.DIBAO
    assert "丽民〔2022〕1号" in told(finding)


def test_a_citizen_reads_why() -> None:
    words = told(found(earning(3, "32400"), CN2021))

    assert "人均月收入900.00元，须低于600.00元：不符合" in words
    assert "最低生活保障：不符合（人均月收入不低于低保标准）" in words
    assert "低保边缘家庭：符合" in words
    assert "32400.00元÷12个月÷3人=900.00元／月" in words


def test_a_value_that_is_not_in_force_is_named() -> None:
    short = {key: used for key, used in parameters().values.items() if key != "minimum_wage"}

    with pytest.raises(MissingParameterError, match="minimum_wage") as missing:
        decide(earning(1, "7200"), MeansParameters(short), CN2021)

    assert missing.value.key == "minimum_wage"


def test_the_same_household_under_two_laws() -> None:
    case = replace(earning(2, "12000"), members=(*family(2).members,))

    assert found(case, LS2016).rule_set is not found(case, CN2025).rule_set


@pytest.mark.parametrize(
    ("months", "from_day", "due"),
    [
        (3, date(2016, 11, 10), date(2017, 2, 10)),
        (6, date(2023, 8, 31), date(2024, 2, 29)),
        (12, date(2024, 2, 29), date(2025, 2, 28)),
    ],
)
def test_a_review_is_due_so_many_months_later(months: int, from_day: date, due: date) -> None:
    assert review.next_review(months, from_day) == due


@pytest.mark.parametrize(
    ("ability", "unproven", "kind"),
    [
        (LaborAbility.LOST, False, Kind.STEADY),
        (LaborAbility.WEAK, False, Kind.STABLE),
        (LaborAbility.ORDINARY, True, Kind.UNSTABLE),
    ],
)
def test_which_calendar_a_dibao_household_goes_by(
    ability: LaborAbility, kind: Kind, *, unproven: bool
) -> None:
    head = replace(family(1).members[0], labor_ability=ability, unproven_income=unproven)
    case = replace(family(1), members=(head,))
    finding = found(case, CN2021, labor__coefficient="0.1")

    assert finding.primary is Category.DIBAO
    assert review.kind_of(case, finding) is kind
