"""The policy parameters of splits (section 5): how long they are watched, when they are due."""

from decimal import Decimal

from services.registry.splits.rules import REVIEW_WORKING_DAYS, WATCH_MONTHS
from shared.parameters import Definition

_ALL = (
    Definition(
        key=WATCH_MONTHS,
        unit="months",
        minimum=Decimal(0),
        maximum=Decimal(60),
        description_zh="认定后分户须复核的期限(月)",
        scopes=("county", "city"),
    ),
    Definition(
        key=REVIEW_WORKING_DAYS,
        unit="working days",
        minimum=Decimal(1),
        maximum=Decimal(60),
        description_zh="分户复核时限(工作日)",
        scopes=("county", "city"),
    ),
)
DEFINITIONS = {definition.key: definition for definition in _ALL}
