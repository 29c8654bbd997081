"""Special hardship (R24): the three conditions, by law, on both sides of every age and grade."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.registry.means.explanation import told
from services.registry.means.facts import (
    Asset,
    AssetKind,
    Case,
    Income,
    IncomeKind,
    Item,
    Obligor,
    Unable,
)
from services.registry.means.tekun import without_labor
from shared.contracts.registry import Category, Disability, DisabilityKind, RuleSet, SchoolStage
from tests.registry.means.cases import CN2021, codes, found, person

TODAY = date(2023, 5, 10)
OLD, NEW = RuleSet.LS2016, RuleSet.CN2021


def card(kind: DisabilityKind, grade: int) -> dict[str, Any]:
    return {"disability": Disability(kind=kind, grade=grade)}


@pytest.mark.parametrize(
    ("more", "old", "new"),
    [
        ({"born": date(1963, 5, 10)}, True, True),
        ({"born": date(1963, 5, 11)}, False, False),
        ({"born": date(2007, 5, 11)}, True, True),
        ({"born": date(2007, 5, 10)}, False, False),
        ({"born": date(2005, 5, 11), "is_tekun": True}, True, True),
        ({"born": date(2005, 5, 10), "is_tekun": True}, False, False),
        (
            {"born": date(2004, 1, 1), "is_tekun": True, "school_stage": SchoolStage.SENIOR},
            True,
            True,
        ),
        (card(DisabilityKind.INTELLECTUAL, 2), True, True),
        (card(DisabilityKind.MENTAL, 3), False, True),
        (card(DisabilityKind.MENTAL, 4), False, False),
        (card(DisabilityKind.LIMB, 1), True, True),
        (card(DisabilityKind.LIMB, 2), False, True),
        (card(DisabilityKind.LIMB, 3), False, False),
        (card(DisabilityKind.SIGHT, 1), True, True),
        (card(DisabilityKind.SIGHT, 2), False, False),
        (card(DisabilityKind.HEARING, 1), False, False),
    ],
)
def test_who_has_no_labor(more: dict[str, Any], *, old: bool, new: bool) -> None:
    who = person(1, **more)

    assert without_labor(who, OLD, TODAY) is old
    assert without_labor(who, NEW, TODAY) is new


ELDER = person(1, born=date(1950, 1, 1), applies_as_tekun=True)
ALONE = Case(applied_on=TODAY, members=(ELDER,))


def own(amount: str, item: Item = Item.ORDINARY) -> Income:
    return Income(
        kind=IncomeKind.TRANSFER, amount=Decimal(amount), item=item, person_id=ELDER.person_id
    )


def test_an_elder_alone_is_tekun() -> None:
    finding = found(ALONE)

    assert (finding.primary, finding.tekun_persons, finding.n) == (
        Category.TEKUN,
        (ELDER.person_id,),
        0,
    )


@pytest.mark.parametrize(
    ("changed", "against"),
    [
        ({"incomes": (own("7199.88"),)}, set()),
        ({"incomes": (own("7200.00"),)}, {"has_income"}),
        ({"incomes": (own("99999", Item.BASIC_PENSION),)}, set()),
        ({"members": (replace(ELDER, orphan_support=True),)}, {"orphan_support"}),
        ({"members": (replace(ELDER, birth_date=date(1980, 1, 1)),)}, {"has_labor"}),
    ],
)
def test_the_conditions(changed: dict[str, Any], against: set[str]) -> None:
    assert codes(found(replace(ALONE, **changed)), "tekun") == against


@pytest.mark.parametrize("unable", [None, *Unable])
def test_an_able_obligor_stands_against_it(unable: Unable | None) -> None:
    child = Obligor(
        supports=(ELDER.person_id,),
        per_capita_month=Decimal(500),
        n=2,
        supported_parents=1,
        unable=unable,
    )

    against = codes(found(replace(ALONE, obligors=(child,))), "tekun")

    assert against == ({"has_obligor"} if unable is None else set())


def test_a_tekun_father_leaves_his_sons_dibao_household() -> None:
    father = replace(person(3, "father", born=date(1950, 1, 1)), applies_as_tekun=True)
    pension = replace(own("9000", Item.BASIC_PENSION), person_id=UUID(int=3))
    wages = Income(kind=IncomeKind.WAGE, amount=Decimal(12000))
    case = Case(
        applied_on=TODAY,
        members=(person(1), person(2, "spouse"), father),
        incomes=(wages, pension),
    )

    finding = found(case, CN2021)

    assert finding.tekun_persons == (UUID(int=3),)
    assert (finding.n, finding.income) == (2, Decimal(12000))
    assert (finding.primary, finding.tags[-1]) == (Category.DIBAO, Category.TEKUN)


def test_who_did_not_apply_is_not_looked_at() -> None:
    case = Case(applied_on=TODAY, members=(replace(ELDER, applies_as_tekun=False),))

    assert codes(found(case), "tekun") == {"nobody_applies"}


def test_a_tekun_elder_alone_is_told_everything_and_doubts_stay() -> None:
    car = Asset(kind=AssetKind.VEHICLE, amount=Decimal(1), confirmed=False)

    finding = found(replace(ALONE, incomes=(own("6000"),), assets=(car,)))

    assert finding.primary is Category.TEKUN
    assert [doubt.code for doubt in finding.doubts] == ["vehicles_over_limit"]
    by_code = {step.code: step for step in finding.steps}
    assert set(by_code) == {"law", "tekun", "asset.money_multiple.dibao", "members"}
    assert by_code["tekun"].numbers["own_income"] == Decimal("500.00")
    assert "73周岁；本人月收入500.00元，须低于600.00元" in told(finding)


def test_confirmed_assets_stand_against_it() -> None:
    car = Asset(kind=AssetKind.VEHICLE, amount=Decimal(1))

    assert codes(found(replace(ALONE, assets=(car,))), "tekun") == {"has_assets"}


def test_who_applies_apart_and_is_tekun_is_not_dibao_as_well() -> None:
    finding = found(replace(ALONE, separate=True, family_is_marginal=True))

    assert (finding.primary, finding.tags, finding.n) == (Category.TEKUN, (), 0)
    assert not finding.verdict(Category.DIBAO).eligible
