"""A finding recomputes to itself, tells every number, and bends the way the law says."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.registry.means import review
from services.registry.means.explanation import as_json, told
from services.registry.means.facts import (
    Asset,
    AssetKind,
    Case,
    Cost,
    CostKind,
    Income,
    IncomeKind,
    Item,
    MeansParameters,
    MissingParameterError,
    Obligor,
    Rigid,
    RigidKind,
    Used,
)
from services.registry.means.review import Kind
from services.registry.means.rules import decide
from shared import clock
from shared.contracts.registry import Category, LaborAbility, RuleSet, SchoolStage
from tests.registry.means.cases import (
    CN2021,
    CN2025,
    LS2016,
    earning,
    family,
    found,
    parameters,
    person,
    wage,
)

adapter = TypeAdapter(Case)
cents = st.integers(0, 6_000_000).map(lambda fen: Decimal(fen) / 100)
days = st.dates(date(2016, 10, 1), date(2026, 12, 31))


@given(cents, cents, st.integers(1, 8), days)
def test_more_income_brings_nobody_into_dibao(
    less: Decimal, more: Decimal, n: int, on: date
) -> None:
    poorer, richer = sorted((less, more))
    with_more = found(earning(n, str(richer)), on).verdict(Category.DIBAO).eligible

    assert not with_more or found(earning(n, str(poorer)), on).verdict(Category.DIBAO).eligible


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Families with incomes, costs, a support payment and rigid expenses of any size."""
    n = draw(st.integers(1, 5))
    owner = st.sampled_from([None, *(UUID(int=at) for at in range(1, n + 1))])
    incomes = st.builds(
        Income,
        kind=st.sampled_from(IncomeKind),
        amount=cents,
        item=st.sampled_from(Item),
        person_id=owner,
    )
    costs = st.builds(Cost, kind=st.sampled_from(CostKind), amount=cents, person_id=owner)
    obligors = st.builds(
        Obligor,
        supports=st.just((UUID(int=1),)),
        per_capita_month=cents,
        n=st.integers(1, 6),
        supported_parents=st.integers(1, 4),
    )
    bills = st.builds(Rigid, kind=st.sampled_from(RigidKind), amount=cents, reimbursed=cents)
    able = draw(st.booleans())
    head, *others = family(n).members
    return replace(
        family(n),
        members=(replace(head, unproven_income=able), *others),
        incomes=tuple(draw(st.lists(incomes, max_size=5))),
        costs=tuple(draw(st.lists(costs, max_size=4))),
        obligors=tuple(draw(st.lists(obligors, max_size=2))),
        rigid=tuple(draw(st.lists(bills, max_size=3))),
        rigid_months=draw(st.integers(0, 12)),
        frozen_roster=draw(st.booleans()),
    )


@given(cases(), days)
def test_the_numbers_of_the_income_step_add_up(case: Case, on: date) -> None:
    finding = found(case, on)
    (step,) = [each for each in finding.steps if each.code == "income"]
    numbers = step.numbers
    summed = sum(
        (numbers[name] for name in ("wage", "business", "property", "transfer", "support")),
        numbers["imputed"] - numbers["deducted"],
    )
    kept = sum((one.amount for one in case.incomes), Decimal(0)) - numbers["exempt"]
    declared = sum(numbers[name] for name in ("wage", "business", "property", "transfer"))

    assert summed == numbers["total"] == finding.income >= 0
    assert declared + numbers["wage_costs"] == kept
    owed = [each.numbers["support"] for each in finding.steps if each.code == "support"]
    assert sum(owed) == numbers["support"]


@given(cases(), days, cents, st.sampled_from(IncomeKind))
def test_more_income_makes_nobody_poorer(
    case: Case, on: date, more: Decimal, kind: IncomeKind
) -> None:
    """Nor does it bring anybody into a category whose test it is, but marginal from dibao."""
    richer = replace(case, incomes=(*case.incomes, Income(kind=kind, amount=more)))
    before, after = found(case, on), found(richer, on)

    assert after.per_capita_month >= before.per_capita_month
    for category in (Category.DIBAO, Category.GROUP_4600):
        assert before.verdict(category).eligible or not after.verdict(category).eligible
    if after.verdict(Category.DIBAO_MARGINAL).eligible:
        assert {Category.DIBAO, Category.DIBAO_MARGINAL} & {before.primary, *before.tags}


@given(cases(), days)
def test_any_case_recomputes_to_itself(case: Case, on: date) -> None:
    stored = adapter.validate_json(adapter.dump_json(case))

    assert as_json(found(stored, on)) == as_json(found(case, on))


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
    """Parents, the marginal boundary as each law words it, and the review are not the same."""
    mother = person(3, "mother", born=date(1950, 1, 1))
    head, spouse = (replace(who, steady_income=True) for who in family(2).members)
    case = replace(earning(2, "32400"), members=(head, spouse, mother))
    supporting = replace(case, members=(head, spouse, replace(mother, supports=True)))

    old = found(case, LS2016, marginal__inclusive="1")
    new = found(case, CN2025, marginal__inclusive="0")
    strict = found(supporting, CN2025, marginal__inclusive="0")

    assert (old.n, old.per_capita_month) == (3, Decimal("900.00"))
    assert old.primary is Category.DIBAO_MARGINAL
    assert (new.n, new.per_capita_month) == (2, Decimal("1350.00"))
    assert (strict.n, strict.primary) == (3, None)
    assert review.kind_of(case, old) is Kind.STABLE
    due = review.next_review(Kind.STABLE, old.rule_set, parameters(), LS2016)
    assert due == date(2017, 5, 10)
    assert review.next_review(Kind.STABLE, new.rule_set, parameters(), CN2025) == date(2027, 3, 10)


YEARLY = {f"review_cycle__{kind.value}": "12" for kind in Kind}


@pytest.mark.parametrize(
    ("kind", "months"),
    [
        (Kind.TEKUN, (12, 12, 12)),
        (Kind.STEADY, (12, 12, 12)),
        (Kind.STABLE, (6, 12, 12)),
        (Kind.UNSTABLE, (3, 6, 6)),
        (Kind.EXPENDITURE, (12, 12, 12)),
        (Kind.GROUP_4600, (12, 12, 12)),
    ],
)
def test_no_county_looks_more_seldom_than_the_law(kind: Kind, months: tuple[int, ...]) -> None:
    day = date(2024, 1, 31)

    for law, longest in zip(RuleSet, months, strict=True):
        due = review.next_review(kind, law, parameters(**YEARLY), day)
        assert due == clock.add_months(day, longest)


def test_a_county_may_look_sooner() -> None:
    sooner = parameters(review_cycle__unstable="2")

    due = review.next_review(Kind.UNSTABLE, RuleSet.CN2021, sooner, date(2023, 12, 31))

    assert due == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"labor_ability": LaborAbility.LOST}, Kind.STEADY),
        ({"birth_date": date(1963, 5, 10)}, Kind.STEADY),
        ({"birth_date": date(1963, 5, 11)}, Kind.UNSTABLE),
        ({"school_stage": SchoolStage.COLLEGE}, Kind.STEADY),
        ({"school_stage": SchoolStage.NOT_AT_SCHOOL}, Kind.UNSTABLE),
        ({"labor_ability": LaborAbility.WEAK, "steady_income": True}, Kind.STABLE),
        ({"steady_income": True, "unproven_income": True}, Kind.UNSTABLE),
        ({}, Kind.UNSTABLE),
    ],
)
def test_which_calendar_a_dibao_household_goes_by(changed: dict[str, Any], kind: Kind) -> None:
    case = replace(family(1), members=(replace(family(1).members[0], **changed),))
    finding = found(case, CN2021, labor__coefficient="0.1")

    assert finding.primary is Category.DIBAO
    assert review.kind_of(case, finding) is kind


@pytest.mark.parametrize(
    ("on", "medical", "kind"),
    [(LS2016, "30000", Kind.EXPENDITURE), (CN2025, "0", Kind.UNSTABLE)],
)
def test_a_category_has_a_calendar_of_its_own(on: date, medical: str, kind: Kind) -> None:
    bills = (Rigid(kind=RigidKind.MEDICAL, amount=Decimal(medical)),)
    case = earning(4, "40000", rigid=bills, rigid_months=6)

    assert review.kind_of(case, found(case, on)) is kind


def test_nothing_in_a_finding_is_a_float() -> None:
    case = earning(3, "30000.01", assets=(Asset(kind=AssetKind.MONEY, amount=Decimal("0.1")),))

    assert _floats(as_json(found(case))) == []


def _floats(value: object) -> list[object]:
    if isinstance(value, dict):
        return [bad for each in value.values() for bad in _floats(each)]
    if isinstance(value, list):
        return [bad for each in value for bad in _floats(each)]
    return [value] if isinstance(value, float) else []


def test_the_sources_of_income_are_told_to_the_citizen() -> None:
    child = Obligor(
        supports=(UUID(int=1),), per_capita_month=Decimal(2000), n=3, supported_parents=2
    )
    case = family(
        1,
        incomes=(
            wage("3000"),
            Income(kind=IncomeKind.TRANSFER, amount=Decimal(800), item=Item.SCHOLARSHIP),
        ),
        costs=(
            Cost(kind=CostKind.EMPLOYMENT, amount=Decimal(500)),
            Cost(kind=CostKind.ILLNESS, amount=Decimal(1000)),
        ),
        obligors=(child,),
    )

    words = told(found(case))

    assert "（义务人家庭人均月收入2000.00元−900.00元）×3人×0.3÷被赡养2人＝每人每月495.00元" in words
    assert (
        "工资性收入2500.00元（已扣就业成本等500.00元）＋经营净收入0.00元＋财产净收入0.00元"
        "＋转移净收入0.00元＋赡养、抚养、扶养费5940.00元−申请扣减的残疾、重病支出1000.00元"
        "＝7440.00元"
    ) in words
    assert "不计入收入：奖学金、助学金800.00元" in words
    assert "经核实的金融资产0.00元，限额14400.00元；财产未超过规定" in words
