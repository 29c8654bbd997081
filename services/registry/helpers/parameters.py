"""The policy parameters of helpers (R35)."""

from decimal import Decimal

from services.registry.helpers.rules import HANDOVER_WORKING_DAYS, MAX_HOUSEHOLDS
from shared.parameters import Definition

_ALL = (
    Definition(
        key=MAX_HOUSEHOLDS,
        unit="households",
        minimum=Decimal(1),
        maximum=Decimal(100),
        description_zh="每名帮扶责任人最多结对户数",
        scopes=("county", "city"),
    ),
    Definition(
        key=HANDOVER_WORKING_DAYS,
        unit="working days",
        minimum=Decimal(1),
        maximum=Decimal(60),
        description_zh="更换帮扶责任人的交接时限(工作日)",
        scopes=("county", "city"),
    ),
)
DEFINITIONS = {definition.key: definition for definition in _ALL}
"""The bounds catch a value typed in the wrong unit; the law sets none."""
