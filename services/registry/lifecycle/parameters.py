"""The policy parameters that the registry owns: lifting, tracking and returning (C4, C7, C23)."""

from decimal import Decimal

from services.registry.checks.rules import G4600_INDEX, G4600_LINE
from services.registry.lifecycle.rules import BETWEEN_CHECKS, tracking_key
from services.registry.returns.rules import CHECK_WORKING_DAYS
from shared.contracts.registry import Category
from shared.parameters import Definition

_TRACKING = tuple(
    Definition(
        key=tracking_key(category),
        unit="months",
        minimum=Decimal(1),
        maximum=Decimal(120),
        description_zh="脱贫后的跟踪期(月)",
        scopes=("county", "city"),
    )
    for category in Category
)
"""One a category; policy section 5 gives 36 months for the 4600 group and 12 for dibao exits."""

_OTHERS = (
    Definition(
        key=BETWEEN_CHECKS,
        unit="months",
        minimum=Decimal(1),
        maximum=Decimal(60),
        description_zh="脱贫所需两次收入核查的最短间隔(月)",
        scopes=("county", "city"),
    ),
    Definition(
        key=G4600_LINE,
        unit="yuan/person/year",
        minimum=Decimal(1),
        maximum=Decimal(1_000_000),
        description_zh="原4600元以下农户的年人均收入标准(元)",
        scopes=("county", "city"),
    ),
    Definition(
        key=G4600_INDEX,
        unit="ratio",
        minimum=Decimal("0.1"),
        maximum=Decimal(10),
        description_zh="原4600元标准的年度调整系数",
        scopes=("county", "city"),
    ),
    Definition(
        key=CHECK_WORKING_DAYS,
        unit="working days",
        minimum=Decimal(1),
        maximum=Decimal(60),
        description_zh="返贫线索的入户核查时限(工作日)",
        scopes=("county", "city"),
    ),
)

DEFINITIONS = {definition.key: definition for definition in (*_TRACKING, *_OTHERS)}
"""The bounds catch a value typed in the wrong unit; the law sets none."""
