"""The policy parameter of reviews after a death (section 5)."""

from decimal import Decimal

from services.registry.deaths.rules import REVIEW_MONTHS
from shared.parameters import Definition

DEFINITIONS = {
    REVIEW_MONTHS: Definition(
        key=REVIEW_MONTHS,
        unit="months",
        minimum=Decimal(1),
        maximum=Decimal(12),
        description_zh="成员亡故后家庭情况的复核期限(月)",
        scopes=("county", "city"),
    )
}
