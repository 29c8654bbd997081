"""The policy parameters of verification (section 4): thresholds, time limits, validity."""

from decimal import Decimal

from services.registry.verification.thresholds import DOUBT_WORKING_DAYS, KEYS, REPORT_MONTHS
from shared.parameters import Definition

_MOST_YUAN = Decimal(10_000_000)


def _definition(key: str, unit: str, least: int, most: Decimal, description_zh: str) -> Definition:
    return Definition(
        key=key,
        unit=unit,
        minimum=Decimal(least),
        maximum=most,
        description_zh=description_zh,
        scopes=("county", "city"),
    )


_ALL = (
    _definition(DOUBT_WORKING_DAYS, "working days", 1, Decimal(60), "核对疑点的处理时限(工作日)"),
    _definition(REPORT_MONTHS, "months", 1, Decimal(24), "核对报告的有效期(月)"),
    _definition(KEYS["vehicles"], "vehicles", 0, Decimal(10), "家庭在用车辆数超过此数即为疑点"),
    _definition(KEYS["dwellings"], "dwellings", 1, Decimal(20), "家庭住房套数达到此数即为疑点"),
    _definition(KEYS["property_years"], "years", 1, Decimal(20), "此年限内买卖不动产即为疑点(年)"),
    _definition(
        KEYS["business_capital"], "yuan", 0, _MOST_YUAN, "在营市场主体出资额超过此数即为疑点(元)"
    ),
    _definition(KEYS["tax_paid"], "yuan", 0, _MOST_YUAN, "核算期内缴纳个税超过此数即为疑点(元)"),
    _definition(
        KEYS["wage_percent"], "percent", 0, Decimal(100), "缴费基数推算工资超出申报工资的比例(%)"
    ),
    _definition(
        KEYS["securities"], "yuan/person", 0, _MOST_YUAN, "人均证券和保单价值超过此数即为疑点(元)"
    ),
    _definition(
        KEYS["medical_self_paid"], "yuan", 0, _MOST_YUAN, "个人自付医疗费超过此数提示救助需求(元)"
    ),
    _definition(
        KEYS["living_costs"], "yuan/year", 0, _MOST_YUAN, "年水电出行等支出超过此数作为辅助疑点(元)"
    ),
)

DEFINITIONS = {definition.key: definition for definition in _ALL}
"""The bounds catch a value typed in the wrong unit; the law sets none."""
