"""The policy parameter of notices: for how many days they run (R29)."""

from decimal import Decimal

from services.notify.notices.rules import DAYS_KEY, LEAST_DAYS
from shared.parameters import Definition

DEFINITIONS = {
    DAYS_KEY: Definition(
        key=DAYS_KEY,
        unit="days",
        minimum=Decimal(LEAST_DAYS),
        maximum=Decimal(60),
        description_zh="公示期（自张贴次日起的完整天数，法定不少于7日）",
        scopes=("county", "city"),
    )
}
"""A county may lengthen a notice, and nobody may shorten it below the law's seven days."""
