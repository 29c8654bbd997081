"""What is earned, left out, deducted, owed and imputed (R3–R7), with both sides of each age."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.registry.means.facts import (
    Cost,
    CostKind,
    Income,
    IncomeKind,
    Item,
    Obligor,
    Removal,
    Unable,
)
from shared.contracts.registry import LaborAbility, SchoolStage
from tests.registry.means.cases import CN2021, LS2016, earning, family, found, obligor, wage


def test_a_loss_counts_as_nothing_and_reduces_no_wage() -> None:
    loss = Income(kind=IncomeKind.BUSINESS, amount=Decimal(-5000))

    finding = found(family(3, incomes=(wage("30000"), loss)))

    assert (finding.income, finding.per_capita_month) == (Decimal(30000), Decimal("833.33"))
    assert finding.per_capita_year == Decimal("10000.00")


@pytest.mark.parametrize(
    ("item", "on", "counted"),
    [
        (Item.SCHOLARSHIP, LS2016, "0"),
        (Item.SOCIAL_ASSISTANCE, CN2021, "0"),
        (Item.BASIC_PENSION, date(2021, 6, 30), "1000"),
        (Item.BASIC_PENSION, date(2021, 7, 1), "0"),
        (Item.BASIC_PENSION, date(2025, 12, 31), "0"),
        (Item.BASIC_PENSION, date(2026, 1, 1), "1000"),
        (Item.OLD_AGE_ALLOWANCE, CN2021, "0"),
        (Item.ORDINARY, CN2021, "1000"),
    ],
)
def test_what_is_exempt(item: Item, on: date, counted: str) -> None:
    one = Income(kind=IncomeKind.TRANSFER, amount=Decimal(1000), item=item)

    assert found(family(1, incomes=(one,)), on).income == Decimal(counted)


def test_an_allowance_counts_where_the_county_says_so() -> None:
    one = Income(kind=IncomeKind.TRANSFER, amount=Decimal(1000), item=Item.OLD_AGE_ALLOWANCE)

    assert found(family(1, incomes=(one,)), exempt__old_age_allowance="0").income == Decimal(1000)


@pytest.mark.parametrize(
    ("kind", "on", "left"),
    [
        (CostKind.EMPLOYMENT, CN2021, "9000"),
        (CostKind.INCOME_TAX, LS2016, "9000"),
        (CostKind.INCOME_TAX, CN2021, "10000"),
        (CostKind.CONTRIBUTIONS, LS2016, "9000"),
        (CostKind.ILLNESS, CN2021, "9000"),
        (CostKind.DISABILITY, LS2016, "9000"),
    ],
)
def test_what_is_deducted(kind: CostKind, on: date, left: str) -> None:
    case = earning(1, "10000", costs=(Cost(kind=kind, amount=Decimal(1000)),))

    assert found(case, on).income == Decimal(left)


def test_income_is_never_less_than_nothing() -> None:
    case = earning(1, "500", costs=(Cost(kind=CostKind.ILLNESS, amount=Decimal(9000)),))

    assert found(case).income == 0


@pytest.mark.parametrize(
    ("one", "month"),
    [
        (obligor(), "495"),
        (obligor(per_capita_month=Decimal(900)), "0"),
        (obligor(ordered=Decimal(300)), "300"),
        (obligor(unable=Unable.TEKUN), "0"),
    ],
)
def test_support_by_obligors(one: Obligor, month: str) -> None:
    assert found(family(1, obligors=(one,))).per_capita_month == Decimal(month)


def test_an_obligor_of_both_parents_pays_for_both() -> None:
    both = obligor(supports=(UUID(int=1), UUID(int=2)))

    assert found(family(2, obligors=(both,))).per_capita_month == Decimal("495.00")


def test_imputed_income_can_be_taken_away_by_an_officer_with_a_reason() -> None:
    able = replace(family(1).members[0], unproven_income=True)
    case = replace(family(1), members=(able,))
    removal = Removal(person_id=able.person_id, officer_id="o1", reason="照料重病家人")

    imputed, removed = found(case), found(replace(case, removals=(removal,)))

    assert imputed.per_capita_month == Decimal("966.00")
    assert removed.per_capita_month == 0
    assert "照料重病家人" in next(
        step.words for step in removed.steps if step.code == "imputed_removed"
    )


@pytest.mark.parametrize(
    ("changed", "month"),
    [
        ({}, "966.00"),
        ({"labor_ability": LaborAbility.WEAK}, "966.00"),
        ({"labor_ability": LaborAbility.LOST}, "0"),
        ({"labor_ability": LaborAbility.NONE}, "0"),
        ({"birth_date": date(1963, 5, 11)}, "966.00"),
        ({"birth_date": date(1963, 5, 10)}, "0"),
        ({"birth_date": date(2007, 5, 10)}, "966.00"),
        ({"birth_date": date(2007, 5, 11)}, "0"),
        ({"school_stage": SchoolStage.SENIOR}, "0"),
    ],
)
def test_only_who_can_work_is_taken_to_earn(changed: dict[str, Any], month: str) -> None:
    head = replace(family(1).members[0], unproven_income=True, **changed)

    assert found(replace(family(1), members=(head,))).per_capita_month == Decimal(month)


@pytest.mark.parametrize(
    ("first", "second", "cost_of", "cost", "income"),
    [
        (1, 2, 1, "5000", "20000"),
        (1, 2, 2, "5000", "16000"),
        (1, 2, None, "5000", "16000"),
        (1, None, 1, "5000", "16000"),
        (None, None, 2, "5000", "16000"),
        (1, 2, None, "30000", "0"),
    ],
)
def test_nobodys_costs_eat_up_what_another_earns(
    first: int | None, second: int | None, cost_of: int | None, cost: str, income: str
) -> None:
    """1,000 earned by the first, 20,000 by the second; None is the household as a whole."""

    def who(at: int | None) -> UUID | None:
        return None if at is None else UUID(int=at)

    spent = Cost(kind=CostKind.EMPLOYMENT, amount=Decimal(cost), person_id=who(cost_of))
    wages = (wage("1000", person_id=who(first)), wage("20000", person_id=who(second)))

    assert found(family(2, incomes=wages, costs=(spent,))).income == Decimal(income)
