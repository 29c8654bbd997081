"""The policy parameters of the means test (policy section 3, parameter registry). Flags are 0 or 1.

The lines themselves are relief's standards: ``dibao_line``, ``minimum_wage`` and
``disposable_income_ref``.
"""

from decimal import Decimal
from typing import Final

from services.registry.means import keys
from services.registry.means.review import Kind, cycle_key
from shared.parameters import Definition

_FLAGS: Final = {
    keys.DIBAO_STRICT: "低保收入须严格低于标准(1是,0含等于)",
    keys.MARGINAL_INCLUSIVE: "低保边缘上限含本数(1是,0否)",
    keys.MARGINAL_CAPPED: "低保边缘上限不超过最低工资(1是,0否)",
    keys.RIGID_CEILING: "支出型家庭收入不得高于上年人均可支配收入(1是,0否)",
    keys.EXCLUDE_MARGINAL: "支出型排除低保边缘家庭(1是,0否)",
    keys.G4600_INCLUSIVE: "原4600元标准含本数(1是,0否)",
    keys.EXEMPT_OLD_AGE: "高龄津贴不计入家庭收入(1是,0否)",
    keys.EXEMPT_DISABILITY: "残疾人两项补贴不计入家庭收入(1是,0否)",
    keys.EXEMPT_EDUCATION: "义务教育补助不计入家庭收入(1是,0否)",
}
_NUMBERS: Final = {
    keys.WINDOW: ("months", "1", "24", "家庭收入核算期(月)"),
    keys.MARGINAL_RATIO: ("ratio", "1", "3", "低保边缘收入上限与低保标准之比"),
    keys.MONEY_DIBAO: ("lines/person", "0", "240", "低保人均金融资产上限(低保月标准倍数)"),
    keys.MONEY_WIDER: ("lines/person", "0", "240", "边缘、支出型人均金融资产上限(低保月标准倍数)"),
    keys.VEHICLES: ("vehicles", "0", "10", "可有的机动车船数"),
    keys.DWELLINGS: ("dwellings", "0", "10", "可有的住房套数"),
    keys.CAPITAL: ("yuan", "0", "10000000", "可有的企业注册资本(元)"),
    keys.SUPPORT_K: ("lines", "0", "10", "赡养能力起算线(低保标准倍数)"),
    keys.SUPPORT_RATE: ("ratio", "0", "1", "赡养费计算比例"),
    keys.LABOR_COEFFICIENT: ("ratio", "0", "1", "有劳动能力者推定收入与最低工资之比"),
    keys.RIGID_MONTHS: ("months", "1", "60", "刚性支出持续的最少月数"),
    keys.RIGID_RATIO: ("ratio", "0.01", "10", "刚性支出占收入的比例(须高于)"),
}

_CYCLES: Final = tuple(
    Definition(
        key=cycle_key(kind),
        unit="months",
        minimum=Decimal(1),
        maximum=Decimal(12),
        description_zh=f"{kind.words}的复核周期(月)",
        scopes=("county", "city"),
    )
    for kind in Kind
)

DEFINITIONS = {
    definition.key: definition
    for definition in (
        *(
            Definition(
                key=key,
                unit="flag",
                minimum=Decimal(0),
                maximum=Decimal(1),
                description_zh=words,
                scopes=("county", "city"),
            )
            for key, words in _FLAGS.items()
        ),
        *(
            Definition(
                key=key,
                unit=unit,
                minimum=Decimal(least),
                maximum=Decimal(most),
                description_zh=words,
                scopes=("county", "city"),
            )
            for key, (unit, least, most, words) in _NUMBERS.items()
        ),
        *_CYCLES,
    )
}
"""The bounds catch a value typed in the wrong unit; ``review`` keeps to the law's cycles."""

ASKED: Final = (*_FLAGS, *_NUMBERS)
"""Every parameter that a means test reads; ``g4600.line`` and ``.index`` stand in ``checks``."""

CYCLES: Final = tuple(cycle_key(kind) for kind in Kind)
"""Those that the review calendar reads (R28)."""
