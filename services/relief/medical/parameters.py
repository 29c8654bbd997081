"""The figures that medical assistance is reckoned with, by county and day (R20, section 3)."""

from decimal import Decimal

from services.relief.medical.rules import ALARM, ALARM_PERCENT, CAP, DEDUCTIBLE, RATIO
from shared.contracts.registry import Category
from shared.parameters import Definition

_MOST_YUAN = Decimal(10_000_000)
CATEGORY_NAMES = {
    Category.TEKUN: "特困人员",
    Category.DIBAO: "低保对象",
    Category.DIBAO_MARGINAL: "低保边缘对象",
    Category.EXPENDITURE_BASED: "支出型困难对象",
    Category.GROUP_4600: "原4600元以下对象",
}
TERMS_KEYS = tuple(
    f"{key}.{category.value}" for key in (DEDUCTIBLE, RATIO, CAP) for category in Category
)
"""The keys whose approval decides bills anew."""


def _definition(key: str, unit: str, most: Decimal, description_zh: str) -> Definition:
    return Definition(
        key=key,
        unit=unit,
        minimum=Decimal(0),
        maximum=most,
        description_zh=description_zh,
        scopes=("county", "city"),
    )


def _of(category: Category) -> tuple[Definition, ...]:
    code, name = category.value, CATEGORY_NAMES[category]
    return (
        _definition(f"{DEDUCTIBLE}.{code}", "yuan", _MOST_YUAN, f"{name}医疗救助起付线（元）"),
        _definition(f"{RATIO}.{code}", "ratio", Decimal(1), f"{name}医疗救助比例（0.7即70%）"),
        _definition(f"{CAP}.{code}", "yuan/year", _MOST_YUAN, f"{name}医疗救助年度封顶线（元）"),
    )


_ALL = (
    *(definition for category in Category for definition in _of(category)),
    _definition(ALARM, "yuan", _MOST_YUAN, "家庭12个月自付医疗费超过此数即预警（元）"),
    _definition(
        ALARM_PERCENT, "percent", Decimal(1000), "家庭12个月自付医疗费超过年收入的此比例即预警（%）"
    ),
)

DEFINITIONS = {definition.key: definition for definition in _ALL}
"""The bounds catch a ratio typed as a percentage; the law sets none."""
