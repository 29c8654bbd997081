"""R32 to the fen, its explanation, and that what is stored recomputes."""

from datetime import date
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.housing.renovations.definitions import DEFINITIONS
from services.housing.renovations.rules import SUITS, Method
from services.housing.renovations.subsidies import (
    Rates,
    Work,
    base_key,
    factor_key,
    reckon,
    recompute,
    subsidy,
)
from shared import clock
from shared.contracts.registry import Category, HouseGrade, RuleSet
from shared.identity import new_id
from shared.parameters import Parameter
from tests.housing.support import SAMPLE

FACTORS = st.decimals("0.1", 5, places=4)
MONEY = st.decimals("0.01", 500_000, places=2)


@pytest.mark.parametrize(
    ("base", "category", "region", "cost", "amount"),
    [
        ("25000", "1.0", "1", "22000", "22000.00"),  # the policy's worked example
        ("25000", "1.0", "1", "24999.99", "24999.99"),
        ("25000", "1.0", "1", "25000.00", "25000.00"),
        ("25000", "1.0", "1", "25000.01", "25000.00"),
        ("25000", "1.2", "1", "40000", "30000.00"),
        ("25000", "0.8", "1", "40000", "20000.00"),
        ("9000", "0.8", "1.1", "40000", "7920.00"),
        ("9000.01", "0.8", "0.9", "40000", "6480.01"),  # 6480.0072
        ("9000.05", "0.5", "1", "40000", "4500.03"),  # 4500.025, half up
        ("100.01", "0.15", "0.15", "40000", "2.25"),  # 2.250225: rounded once, at the end
    ],
)
def test_the_subsidy(base: str, category: str, region: str, cost: str, amount: str) -> None:
    found = subsidy(
        base=Decimal(base),
        category_factor=Decimal(category),
        region_factor=Decimal(region),
        actual_cost=Decimal(cost),
    )
    assert str(found) == amount


@given(MONEY, FACTORS, FACTORS, MONEY)
def test_never_more_than_the_cost_nor_half_a_fen_more_than_the_standard(
    base: Decimal, category: Decimal, region: Decimal, cost: Decimal
) -> None:
    found = subsidy(base=base, category_factor=category, region_factor=region, actual_cost=cost)
    standard = base * category * region
    assert found <= cost
    assert abs(found - min(standard, cost)) <= Decimal("0.005")
    assert found == found.quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("day", "law"),
    [
        (date(2021, 6, 30), RuleSet.LS2016),
        (date(2021, 7, 1), RuleSet.CN2021),
        (date(2024, 12, 31), RuleSet.CN2021),
        (date(2025, 1, 1), RuleSet.CN2025),
    ],
)
def test_the_law_of_the_day(day: date, law: RuleSet) -> None:
    assert RuleSet.on(day) is law


def value(key: str, amount: str) -> Parameter:
    return Parameter(
        parameter_id=new_id(),
        key=key,
        division_code="331124",
        valid_from=date(2026, 1, 1),
        value=Decimal(amount),
        unit=DEFINITIONS[key].unit,
        document_number="丽建〔2026〕7号",
        sample=False,
        entered_by="o1",
        entered_at=clock.now(),
    )


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize(("method", "grade"), SUITS.items())
def test_a_reckoning_explains_itself_and_recomputes(
    category: Category, method: Method, grade: HouseGrade
) -> None:
    base, factor = base_key(method, grade), factor_key(category)
    work = Work(
        method=method,
        grade=grade,
        category=category,
        actual_cost=Decimal("22000.00"),
        accepted_on=date(2026, 8, 1),
    )
    rates = Rates(
        base=value(base, SAMPLE[base]),
        category_factor=value(factor, SAMPLE[factor]),
        region_factor=value("house.factor.region", "1.0"),
    )
    amount, reckoning = reckon(work, rates)
    kept = orjson.loads(orjson.dumps(reckoning))
    assert recompute(kept) == amount == Decimal(kept["amount"])
    assert kept["rule_set"] == "CN2025"
    assert kept["parameters"]["base"]["parameter_id"] == str(rates.base.parameter_id)
    assert kept["text"] == "".join(step["text"] for step in kept["steps"])


def test_the_explanation_in_words() -> None:
    work = Work(
        method=Method.REBUILD,
        grade=HouseGrade.D,
        category=Category.DIBAO,
        actual_cost=Decimal("22000.00"),
        accepted_on=date(2026, 8, 1),
    )
    rates = Rates(
        base=value("house.base.rebuild.d", "25000"),
        category_factor=value("house.factor.dibao", "1.0"),
        region_factor=value("house.factor.region", "1.0"),
    )
    _, reckoning = reckon(work, rates)
    assert reckoning["text"] == (
        "D级危房拆除重建补助基准为25000.00元（丽建〔2026〕7号，自2026-01-01起执行）。"
        "申请之日家庭类别为最低生活保障家庭，类别系数为1（丽建〔2026〕7号）。"
        "地区系数为1（丽建〔2026〕7号）。"
        "补助标准：25000.00×1×1=25000元。"
        "实际造价为22000.00元。"
        "补助金额取补助标准与实际造价中较低者，为22000.00元。"
    )


def test_every_key_of_the_sample_is_defined_and_within_its_bounds() -> None:
    assert set(SAMPLE) == set(DEFINITIONS)
    for key, amount in SAMPLE.items():
        assert DEFINITIONS[key].minimum <= Decimal(amount) <= DEFINITIONS[key].maximum
