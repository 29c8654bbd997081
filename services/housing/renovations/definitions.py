"""The policy parameters that housing owns: subsidy bases and factors, years between two (R32)."""

from decimal import Decimal

from services.housing.renovations.rules import METHOD_NAMES, SUITS
from services.housing.renovations.subsidies import (
    CATEGORY_NAMES,
    REGION_FACTOR,
    REPEAT_YEARS,
    base_key,
    factor_key,
)
from shared.contracts.registry import Category
from shared.parameters import Definition


def _factor(key: str, description_zh: str) -> Definition:
    return Definition(
        key=key,
        unit="factor",
        minimum=Decimal("0.1"),
        maximum=Decimal(5),
        description_zh=description_zh,
        scopes=("county", "city"),
    )


_BASES = [
    Definition(
        key=base_key(method, grade),
        unit="yuan",
        minimum=Decimal(100),
        maximum=Decimal(500_000),
        description_zh=f"{grade}级危房{METHOD_NAMES[method]}补助基准（每户，元）",
        scopes=("county", "city"),
    )
    for method, grade in SUITS.items()
]
_FACTORS = [
    _factor(factor_key(category), f"{CATEGORY_NAMES[category]}危房改造补助类别系数")
    for category in Category
]
_YEARS = Definition(
    key=REPEAT_YEARS,
    unit="years",
    minimum=Decimal(1),
    maximum=Decimal(50),
    description_zh="两次危房改造补助的最短间隔（年，因灾除外）",
    scopes=("county", "city"),
)

DEFINITIONS = {
    definition.key: definition
    for definition in (
        *_BASES,
        *_FACTORS,
        _factor(REGION_FACTOR, "危房改造补助地区系数"),
        _YEARS,
    )
}
"""The bounds catch a value typed in fen, or a percentage for a factor; the law sets none."""
