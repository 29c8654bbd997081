"""The policy parameters of visits (R35; section 5, tracking)."""

from decimal import Decimal

from services.registry.visits.rules import AFTER, ALARM, FIRST_YEAR, MONTHS_BETWEEN
from shared.parameters import Definition

_WORDS = {
    MONTHS_BETWEEN: "在册家庭两次走访间隔(月)",
    FIRST_YEAR: "脱贫后第一年跟踪走访间隔(月)",
    AFTER: "脱贫一年后跟踪走访间隔(月)",
    ALARM: "未走访预警(月)",
}
DEFINITIONS = {
    key: Definition(
        key=key,
        unit="months",
        minimum=Decimal(1),
        maximum=Decimal(12),
        description_zh=words,
        scopes=("county", "city"),
    )
    for key, words in _WORDS.items()
}
