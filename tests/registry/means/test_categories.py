"""The five categories at their boundaries, to the fen: the policy's worked and golden cases."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.registry.means.facts import (
    Asset,
    AssetKind,
    Cost,
    CostKind,
    Income,
    IncomeKind,
    Item,
    Obligor,
    Removal,
    Rigid,
    RigidKind,
    Unable,
)
from services.registry.means.rules import ImpossibleCaseError
from shared.contracts.registry import Category
from tests.registry.means.cases import (
    CN2021,
    CN2025,
    LS2016,
    codes,
    earning,
    eligible,
    family,
    found,
    wage,
)


def rigid(medical: str, school: str = "0", back: str = "0") -> tuple[Rigid, ...]:
    return (
        Rigid(kind=RigidKind.MEDICAL, amount=Decimal(medical), reimbursed=Decimal(back)),
        Rigid(kind=RigidKind.SCHOOL, amount=Decimal(school)),
    )


@pytest.mark.parametrize(
    ("total", "month", "is_dibao"),
    [("7200.00", "600.00", False), ("7199.88", "599.99", True), ("7200.12", "600.01", False)],
)
def test_dibao_is_strictly_below_the_line(total: str, month: str, *, is_dibao: bool) -> None:
    finding = found(earning(1, total))

    assert finding.per_capita_month == Decimal(month)
    assert ("dibao" in eligible(finding)) is is_dibao


def test_a_county_may_take_the_line_itself_in() -> None:
    assert "dibao" in eligible(found(earning(1, "7200.00"), dibao__strict="0"))


@pytest.mark.parametrize(
    ("total", "line", "capped", "inside"),
    [
        ("10800.00", "600", "1", True),
        ("10800.12", "600", "1", False),
        ("16560.00", "1000", "1", True),
        ("16560.12", "1000", "1", False),
        ("16560.12", "1000", "0", True),
        ("18000.12", "1000", "0", False),
    ],
)
def test_marginal_goes_up_to_the_smaller_limit(
    total: str, line: str, capped: str, *, inside: bool
) -> None:
    finding = found(earning(1, total), dibao_line=line, marginal__cap_by_wage=capped)

    assert ("dibao_marginal" in eligible(finding)) is inside


def test_marginal_without_its_limit_where_the_county_reads_the_law_so() -> None:
    finding = found(earning(1, "10800.00"), marginal__inclusive="0")

    assert codes(finding, "dibao_marginal") == {"income_over_marginal"}


def test_who_is_dibao_is_not_marginal() -> None:
    finding = found(earning(3, "14400"))

    assert finding.per_capita_month == Decimal("400.00")
    assert finding.primary is Category.DIBAO
    assert codes(finding, "dibao_marginal") == {"is_dibao"}


@pytest.mark.parametrize(
    ("on", "back", "rest_is_below"),
    [(LS2016, "0", True), (LS2016, "12000", False), (CN2021, "0", True)],
)
def test_expenditure_leaves_rigid_expenses_out(on: date, back: str, *, rest_is_below: bool) -> None:
    case = earning(4, "48000", rigid=rigid("24000", "6000", back), rigid_months=6)
    finding = found(case, on)
    (step,) = [each for each in finding.steps if each.code == "expenditure"]

    assert step.numbers["rest_month"] == (Decimal("375.00") if back == "0" else Decimal("625.00"))
    assert ("expenditure_based" in eligible(finding)) is rest_is_below
    assert finding.primary is (Category.EXPENDITURE_BASED if rest_is_below else None)


@pytest.mark.parametrize(
    ("changed", "flags", "code"),
    [
        ({"rigid_months": 5}, {}, "not_long_term"),
        ({"local_hukou": False}, {}, "not_local"),
        ({}, {"expenditure__income_ceiling": "1", "disposable_income_ref": "11999.99"},
         "income_over_ceiling"),
    ],
)  # fmt: skip
def test_what_else_expenditure_asks(
    changed: dict[str, Any], flags: dict[str, str], code: str
) -> None:
    case = earning(4, "48000", rigid=rigid("24000", "6000"), rigid_months=6)

    assert codes(found(replace(case, **changed), LS2016, **flags), "expenditure_based") == {code}


def test_the_ceiling_itself_is_in() -> None:
    case = earning(4, "48000", rigid=rigid("24000", "6000"), rigid_months=6)
    flags = {"expenditure__income_ceiling": "1", "disposable_income_ref": "12000"}

    assert "expenditure_based" in eligible(found(case, LS2016, **flags))


def test_a_marginal_household_may_be_expenditure_based_until_2025() -> None:
    case = earning(4, "40000", rigid=rigid("30000"), rigid_months=6)

    before = found(case, LS2016)
    excluded = found(case, LS2016, expenditure__exclude_marginal="1")
    after = found(case, CN2025)

    assert before.primary is Category.EXPENDITURE_BASED
    assert Category.DIBAO_MARGINAL in before.tags
    assert codes(excluded, "expenditure_based") == {"is_marginal"}
    assert codes(after, "expenditure_based") == {"is_marginal"}
    assert after.primary is Category.DIBAO_MARGINAL


@pytest.mark.parametrize(
    ("medical", "ceiling", "against"),
    [
        ("30000", "24000", set()),
        ("28800.01", "24000", set()),
        ("28800.00", "24000", {"rigid_share_too_small"}),
        ("30000", "12000.01", set()),
        ("30000", "12000.00", {"income_over_ceiling"}),
    ],
)
def test_from_2025_the_share_of_rigid_expenses_decides(
    medical: str, ceiling: str, against: set[str]
) -> None:
    case = earning(4, "48000", rigid=rigid(medical))

    finding = found(case, CN2025, disposable_income_ref=ceiling)

    assert codes(finding, "expenditure_based") == against


@pytest.mark.parametrize(
    ("total", "ways", "inside"),
    [
        ("4600.00", {"frozen_roster": True}, True),
        ("4600.01", {"frozen_roster": True}, False),
        ("4600.00", {}, False),
        ("4600.00", {"returned": True}, True),
        ("4600.00", {"office_decision": True}, True),
    ],
)
def test_the_4600_group_by_year_and_roster(
    total: str, ways: dict[str, bool], *, inside: bool
) -> None:
    finding = found(earning(1, total, **ways))

    assert ("group_4600" in eligible(finding)) is inside


def test_the_4600_limit_is_a_years_and_its_own_boundary_a_flag() -> None:
    case = earning(1, "4600.00", frozen_roster=True)

    assert "group_4600" not in eligible(found(case, g4600__inclusive="0"))
    assert "group_4600" in eligible(
        found(earning(1, "5060", frozen_roster=True), g4600__index="1.1")
    )


def assets(kind: AssetKind, amount: str, **more: Any) -> tuple[Asset, ...]:
    return (Asset(kind=kind, amount=Decimal(amount), **more),)


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (assets(AssetKind.MONEY, "28800.00"), None),
        (assets(AssetKind.MONEY, "28800.01"), "money_over_limit"),
        (assets(AssetKind.MONEY, "99999", exempt="售房款待购房"), None),
        (assets(AssetKind.VEHICLE, "1"), "vehicles_over_limit"),
        (assets(AssetKind.VEHICLE, "1", exempt="残疾人代步车"), None),
        (assets(AssetKind.DWELLING, "1"), None),
        (assets(AssetKind.DWELLING, "2"), "dwellings_over_limit"),
        (assets(AssetKind.RECENT_DWELLING, "1"), "recent_dwelling"),
        (assets(AssetKind.CAPITAL, "0.01"), "capital_over_limit"),
        (assets(AssetKind.STUDY_ABROAD, "1"), "study_abroad"),
        (assets(AssetKind.FEE_SCHOOL, "1"), "fee_charging_school"),
        (assets(AssetKind.OVERSEAS_TRAVEL, "1"), "overseas_travel"),
    ],
)
def test_a_confirmed_hit_is_held_against_them(held: tuple[Asset, ...], code: str | None) -> None:
    finding = found(earning(2, "6000", assets=held))

    assert codes(finding, "dibao") == ({code} if code else set())
    assert finding.per_capita_month == Decimal("250.00")


def test_an_unconfirmed_hit_is_a_doubt_and_no_more() -> None:
    held = assets(AssetKind.VEHICLE, "1", confirmed=False)

    finding = found(earning(2, "6000", assets=held))

    assert finding.primary is Category.DIBAO
    assert [doubt.code for doubt in finding.doubts] == ["vehicles_over_limit"]


def test_money_is_wider_for_marginal_households() -> None:
    held = assets(AssetKind.MONEY, "43200.00")

    assert "dibao_marginal" in eligible(found(earning(2, "18000", assets=held)))
    over = assets(AssetKind.MONEY, "43200.01")
    assert codes(found(earning(2, "18000", assets=over)), "dibao_marginal") == {"money_over_limit"}


def test_below_the_line_with_assets_is_none_of_the_three_and_told_which_failed() -> None:
    held = assets(AssetKind.VEHICLE, "1")

    finding = found(earning(2, "6000", assets=held))

    assert eligible(finding) == set()
    assert finding.primary is None
    for category in ("dibao", "dibao_marginal", "expenditure_based"):
        assert "vehicles_over_limit" in codes(finding, category)


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


def obligor(**changed: Any) -> Obligor:
    given: dict[str, Any] = {
        "supports": (UUID(int=1),),
        "per_capita_month": Decimal(2000),
        "n": 3,
        "supported_parents": 2,
    }
    return Obligor(**(given | changed))


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
    ("changed", "code"),
    [
        ({"members": ()}, "nobody_counts"),
        ({"incomes": (wage("-1"),)}, "amount_negative"),
        ({"incomes": (wage("1", person_id=UUID(int=9)),)}, "person_unknown"),
        ({"obligors": (obligor(n=0),)}, "obligor_counts"),
        ({"separate": True}, "separate_is_one"),
        ({"rigid": rigid("-1")}, "amount_negative"),
    ],
)
def test_impossible_cases_are_refused_with_every_fault(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(ImpossibleCaseError) as refused:
        found(replace(family(2), **changed))

    assert code in {each.code for each in refused.value.faults}
