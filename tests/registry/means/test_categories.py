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
    Removal,
    Rigid,
    RigidKind,
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
    obligor,
    person,
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


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"members": ()}, "nobody_counts"),
        ({"incomes": (wage("-1"),)}, "amount_negative"),
        ({"incomes": (wage("1", person_id=UUID(int=9)),)}, "person_unknown"),
        ({"obligors": (obligor(n=0),)}, "obligor_counts"),
        ({"separate": True}, "separate_is_one"),
        ({"rigid": rigid("-1")}, "amount_negative"),
        ({"members": (person(1), person(1))}, "person_twice"),
        ({"obligors": (obligor(supports=()),)}, "obligor_supports"),
        ({"obligors": (obligor(supports=(UUID(int=1), UUID(int=1))),)}, "obligor_supports"),
        (
            {"obligors": (obligor(supports=(UUID(int=1), UUID(int=2)), supported_parents=1),)},
            "obligor_supports",
        ),
        (
            {"removals": (Removal(person_id=UUID(int=1), officer_id="o1", reason=" "),)},
            "reason_missing",
        ),
        ({"rigid_months": -1}, "months_negative"),
        ({"applied_on": date(2023, 5, 11)}, "applied_after_decision"),
        ({"members": (person(1, born=date(2023, 5, 11)),)}, "born_after_decision"),
    ],
)
def test_impossible_cases_are_refused_with_every_fault(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(ImpossibleCaseError) as refused:
        found(replace(family(2), **changed))

    assert code in {each.code for each in refused.value.faults}


def test_on_the_day_itself_is_not_in_the_future() -> None:
    born_today = person(2, "son", born=CN2021)

    finding = found(replace(family(1), applied_on=CN2021, members=(person(1), born_today)))

    assert finding.n == 2


@pytest.mark.parametrize("on", [LS2016, CN2025])
def test_a_bill_deducted_on_request_does_not_count_twice(on: date) -> None:
    bill = Decimal(12000)
    costs = (Cost(kind=CostKind.ILLNESS, amount=bill),)
    case = earning(4, "60000", rigid=rigid("12000"), rigid_months=6, costs=costs)

    finding = found(case, on)
    (step,) = [each for each in finding.steps if each.code == "expenditure"]

    assert (finding.income, step.numbers["income"]) == (Decimal(48000), Decimal(60000))
    assert step.numbers["rigid"] == bill


def test_below_the_line_with_money_that_only_the_wider_limit_lets_pass_is_marginal() -> None:
    """R15 asks for the wider limit; none of the three (R16) is who is over that one too."""
    between = assets(AssetKind.MONEY, "28800.01")

    finding = found(earning(2, "6000", assets=between))

    assert finding.primary is Category.DIBAO_MARGINAL
    assert codes(finding, "dibao") == {"money_over_limit"}


def test_an_exemption_without_a_word_is_none() -> None:
    held = assets(AssetKind.VEHICLE, "1", exempt="  ")

    assert codes(found(earning(2, "6000", assets=held)), "dibao") == {"vehicles_over_limit"}
