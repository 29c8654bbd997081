"""The figures' units and bounds (R30)."""

from decimal import Decimal

from services.employment.standards.rules import MIGRANT_MONTHS, OFFER_WORKING_DAYS
from shared.parameters import Definition

DEFINITIONS = {
    definition.key: definition
    for definition in (
        Definition(
            key=OFFER_WORKING_DAYS,
            unit="working days",
            minimum=Decimal(1),
            maximum=Decimal(250),
            description_zh="零就业家庭提供就业岗位的期限（工作日）",
            scopes=("county", "city"),
        ),
        Definition(
            key=MIGRANT_MONTHS,
            unit="months",
            minimum=Decimal(1),
            maximum=Decimal(24),
            description_zh="外出务工计为已就业所需的月数",
            scopes=("county", "city"),
        ),
    )
}
"""The bounds catch a value typed in days for one in months; the law sets none."""
