"""The policy parameter of rosters: on which day a statistical month ends (policy section 9)."""

from decimal import Decimal

from services.registry.rosters.monthly_rules import CUT_OFF_DAY, LAST_DAY
from shared.parameters import Definition

DEFINITIONS = {
    CUT_OFF_DAY: Definition(
        key=CUT_OFF_DAY,
        unit="day of month",
        minimum=Decimal(1),
        maximum=Decimal(LAST_DAY),
        description_zh="统计月截止日(每月几日,31为月末)",
        scopes=("county", "city"),
    )
}
"""Where none is set a statistical month is the calendar's."""
