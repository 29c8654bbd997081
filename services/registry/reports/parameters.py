"""The policy parameters of the falling-income alert (C9)."""

from decimal import Decimal

from services.registry.reports.rules import FALL_PERCENT, FALL_WORKING_DAYS
from shared.parameters import Definition

_ALL = (
    Definition(
        key=FALL_PERCENT,
        unit="percent",
        minimum=Decimal(0),
        maximum=Decimal(100),
        description_zh="年人均收入降幅超过该比例即预警(0为只要下降即预警)",
        scopes=("county", "city"),
    ),
    Definition(
        key=FALL_WORKING_DAYS,
        unit="working days",
        minimum=Decimal(1),
        maximum=Decimal(120),
        description_zh="收入下降核实的期限(工作日)",
        scopes=("county", "city"),
    ),
)
DEFINITIONS = {definition.key: definition for definition in _ALL}
"""A county that has not set the first is not watched; without the second a task has no day."""
