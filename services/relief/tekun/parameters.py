"""The policy parameters of tekun (R25; TK 21-23)."""

from decimal import Decimal

from services.relief.tekun.rules import BASIC_MULTIPLE, CARE
from services.relief.tekun.selfcare import LEGAL_WORKING_DAYS, REASSESS_WORKING_DAYS, Level
from shared import divisions
from shared.parameters import Definition

LEGAL_MULTIPLE = Decimal("1.3")
"""What the basic standard is at least, in dibao lines: set by law, so no county may go below."""
_LEVELS_ZH = {
    Level.ABLE: "全自理",
    Level.PARTLY: "半自理（部分丧失生活自理能力）",
    Level.LOST: "全护理（完全丧失生活自理能力）",
}
_SCOPES: tuple[divisions.Level, ...] = ("county", "city")

DEFINITIONS = {
    BASIC_MULTIPLE: Definition(
        key=BASIC_MULTIPLE,
        unit="ratio",
        minimum=LEGAL_MULTIPLE,
        maximum=Decimal(5),
        description_zh="特困人员基本生活标准相当于低保标准的倍数",
        scopes=_SCOPES,
    ),
    REASSESS_WORKING_DAYS: Definition(
        key=REASSESS_WORKING_DAYS,
        unit="working days",
        minimum=Decimal(1),
        maximum=Decimal(LEGAL_WORKING_DAYS),
        description_zh="特困人员自理能力变化后复评期限（工作日，只能缩短）",
        scopes=_SCOPES,
    ),
    **{
        key: Definition(
            key=key,
            unit="ratio",
            minimum=Decimal(0),
            maximum=Decimal(2),
            description_zh=f"特困人员照料护理标准相当于最低月工资标准的比例：{_LEVELS_ZH[level]}",
            scopes=_SCOPES,
        )
        for level, key in CARE.items()
    },
}
