"""The policy parameters of one-household plans."""

from decimal import Decimal

from services.registry.plans.rules import DRAFT_WORKING_DAYS, RESULT_MONTH
from shared.parameters import Definition

_ALL = (
    Definition(
        key=DRAFT_WORKING_DAYS,
        unit="working days",
        minimum=Decimal(1),
        maximum=Decimal(120),
        description_zh="认定、返贫或类别变更后制定帮扶方案的期限(工作日)",
        scopes=("county", "city"),
    ),
    Definition(
        key=RESULT_MONTH,
        unit="month of the year",
        minimum=Decimal(1),
        maximum=Decimal(12),
        description_zh="上年度帮扶成效填报的截止月份",
        scopes=("county", "city"),
    ),
)
DEFINITIONS = {definition.key: definition for definition in _ALL}
"""The bounds catch a value typed in the wrong unit; the law sets none."""
