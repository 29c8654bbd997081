"""The subsidy of a renovation (C32, R32), and its reckoning told again.

As JSON that recomputes to the same amount years later, and as Chinese sentences a citizen can check
with a pencil (C57; PIPL art. 24). Pure, like rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from services.housing.renovations.rules import METHOD_NAMES, Method
from shared.contracts.registry import Category, HouseGrade, RuleSet
from shared.money import yuan

CATEGORY_NAMES = {
    Category.TEKUN: "特困人员",
    Category.DIBAO: "最低生活保障家庭",
    Category.DIBAO_MARGINAL: "低保边缘家庭",
    Category.EXPENDITURE_BASED: "支出型贫困家庭",
    Category.GROUP_4600: "原4600元以下低收入农户",
}


class Value(Protocol):
    """What is needed of an approved parameter."""

    @property
    def parameter_id(self) -> UUID: ...
    @property
    def key(self) -> str: ...
    @property
    def division_code(self) -> str: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def value(self) -> Decimal: ...
    @property
    def unit(self) -> str: ...
    @property
    def document_number(self) -> str: ...
    @property
    def sample(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The facts of an accepted renovation that its subsidy depends on; ``actual_cost`` in yuan."""

    method: Method
    grade: HouseGrade
    category: Category
    actual_cost: Decimal
    accepted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The parameters of R32: the base in yuan, and two factors."""

    base: Value
    category_factor: Value
    region_factor: Value


def base_key(method: Method, grade: HouseGrade) -> str:
    """The parameter of the base amount. Example: rebuild, D -> ``house.base.rebuild.d``."""
    return f"house.base.{method}.{grade.lower()}"


def factor_key(category: Category) -> str:
    """The parameter of a category's factor. Example: tekun -> ``house.factor.tekun``."""
    return f"house.factor.{category}"


REGION_FACTOR = "house.factor.region"
REPEAT_YEARS = "house.repeat_years"


def subsidy(
    *, base: Decimal, category_factor: Decimal, region_factor: Decimal, actual_cost: Decimal
) -> Decimal:
    """``min(base * category_factor * region_factor, actual_cost)`` in yuan, rounded once (R32).

    Example: dibao, D, 25,000 * 1.0 * 1.0 at a cost of 22,000 -> 22,000.00.
    """
    return yuan(min(base * category_factor * region_factor, actual_cost))


def reckon(work: Work, rates: Rates) -> tuple[Decimal, dict[str, Any]]:
    """The subsidy and all that it rests on, as it is stored: facts, parameters, steps, text."""
    amount = subsidy(
        base=rates.base.value,
        category_factor=rates.category_factor.value,
        region_factor=rates.region_factor.value,
        actual_cost=work.actual_cost,
    )
    steps = _steps(work, rates, amount)
    return amount, {
        "rule_set": RuleSet.on(work.accepted_on).value,
        "clauses": ["C32", "R32"],
        "facts": {
            "method": work.method.value,
            "grade": work.grade.value,
            "category": work.category.value,
            "actual_cost": f"{work.actual_cost:.2f}",
            "accepted_on": work.accepted_on.isoformat(),
        },
        "parameters": {
            "base": _stored(rates.base),
            "category_factor": _stored(rates.category_factor),
            "region_factor": _stored(rates.region_factor),
        },
        "amount": f"{amount:.2f}",
        "steps": steps,
        "text": "".join(step["text"] for step in steps),
    }


def recompute(stored: Mapping[str, Any]) -> Decimal:
    """The subsidy once more, from nothing but a stored reckoning."""
    values = {name: Decimal(each["value"]) for name, each in stored["parameters"].items()}
    return subsidy(**values, actual_cost=Decimal(stored["facts"]["actual_cost"]))


def _stored(value: Value) -> dict[str, Any]:
    return {
        "parameter_id": str(value.parameter_id),
        "key": value.key,
        "value": str(value.value),
        "unit": value.unit,
        "division_code": value.division_code,
        "valid_from": value.valid_from.isoformat(),
        "document_number": value.document_number,
        "sample": value.sample,
    }


def _plain(value: Decimal) -> str:
    """1.20 as 1.2 and 25000.0000 as 25000, never 2.5E+4."""
    return f"{value.normalize():f}"


def _steps(work: Work, rates: Rates, amount: Decimal) -> list[dict[str, str]]:
    base, factor, region = rates.base, rates.category_factor, rates.region_factor
    standard = base.value * factor.value * region.value
    return [
        {
            "code": "base",
            "value": f"{base.value:.2f}",
            "text": f"{work.grade}级危房{METHOD_NAMES[work.method]}补助基准为{base.value:.2f}元"
            f"（{base.document_number}，自{base.valid_from}起执行）。",
        },
        {
            "code": "category_factor",
            "value": _plain(factor.value),
            "text": f"申请之日家庭类别为{CATEGORY_NAMES[work.category]}，"
            f"类别系数为{_plain(factor.value)}（{factor.document_number}）。",
        },
        {
            "code": "region_factor",
            "value": _plain(region.value),
            "text": f"地区系数为{_plain(region.value)}（{region.document_number}）。",
        },
        {
            "code": "standard",
            "value": _plain(standard),
            "text": f"补助标准：{base.value:.2f}×{_plain(factor.value)}×{_plain(region.value)}"
            f"={_plain(standard)}元。",
        },
        {
            "code": "actual_cost",
            "value": f"{work.actual_cost:.2f}",
            "text": f"实际造价为{work.actual_cost:.2f}元。",
        },
        {
            "code": "amount",
            "value": f"{amount:.2f}",
            "text": f"补助金额取补助标准与实际造价中较低者，为{amount:.2f}元。",
        },
    ]
