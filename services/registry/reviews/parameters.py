"""The policy parameter of reviews; their cycles are those of the means test (R28)."""

from decimal import Decimal

from services.registry.reviews.rules import NOTICE_DAYS
from shared.parameters import Definition

DEFINITIONS = {
    NOTICE_DAYS: Definition(
        key=NOTICE_DAYS,
        unit="days",
        minimum=Decimal(0),
        maximum=Decimal(90),
        description_zh="定期复核到期前列入待办的天数",
        scopes=("county", "city"),
    )
}
