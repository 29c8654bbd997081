"""The standards that relief keeps: their keys, units and bounds (C11, C12)."""

from decimal import Decimal

from services.relief.standards.rules import DIBAO_LINE, MINIMUM_WAGE
from shared.parameters import Definition

DEFINITIONS = {
    definition.key: definition
    for definition in (
        Definition(
            key=DIBAO_LINE,
            unit="yuan/person/month",
            minimum=Decimal(1),
            maximum=Decimal(20_000),
            description_zh="最低生活保障标准（每人每月，元）",
            scopes=("county", "city"),
        ),
        Definition(
            key=MINIMUM_WAGE,
            unit="yuan/month",
            minimum=Decimal(1),
            maximum=Decimal(50_000),
            description_zh="最低月工资标准（元）",
            scopes=("county", "city"),
        ),
        Definition(
            key="disposable_income_ref",
            unit="yuan/person/year",
            minimum=Decimal(1),
            maximum=Decimal(1_000_000),
            description_zh="上年度居民人均可支配收入（元）",
            scopes=("county", "city"),
        ),
    )
}
"""The bounds catch a value typed in fen, or a year's for a month's; the law sets none."""
