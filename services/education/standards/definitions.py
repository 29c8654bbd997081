"""The parameters that education owns: aid by stage (C36) and the days of dropout control (C33)."""

from decimal import Decimal

from services.education.aid.rules import AID_BY_STAGE
from services.education.dropout.rules import STEP_KEYS
from shared.parameters import Definition

_AID_TEXTS = {
    "edu.fee_cut.preschool": "学前教育保教费减免（每人每年，元）",
    "edu.living_subsidy.primary": "小学生活补助（每人每年，元）",
    "edu.living_subsidy.junior": "初中生活补助（每人每年，元）",
    "edu.grant.senior": "普通高中国家助学金（每人每年，元）",
    "edu.grant.vocational": "中等职业学校国家助学金（每人每年，元）",
    "edu.grant.college": "高等学校国家助学金（每人每年，元）",
}
_STEP_TEXTS = {
    "edu.dropout.call_days": "缺课几日后教师电话联系（日）",
    "edu.dropout.visit_days": "缺课几日后教师家访（日）",
    "edu.dropout.township_days": "缺课几日后报乡镇（街道）劝返（日）",
    "edu.dropout.county_days": "缺课几日后列入县级控辍名单（日）",
}
_AID_KEYS = dict.fromkeys(each.key for each in AID_BY_STAGE.values())

DEFINITIONS = {
    key: Definition(
        key=key,
        unit="yuan/person/year",
        minimum=Decimal(1),
        maximum=Decimal(50_000),
        description_zh=_AID_TEXTS[key],
        scopes=("county", "city"),
    )
    for key in _AID_KEYS
} | {
    key: Definition(
        key=key,
        unit="days",
        minimum=Decimal(1),
        maximum=Decimal(365),
        description_zh=_STEP_TEXTS[key],
        scopes=("county", "city"),
    )
    for key in STEP_KEYS.values()
}
"""The bounds catch a value typed in fen, or years for days; the law sets none."""
