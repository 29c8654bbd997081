"""The policy parameters of leads (C5, C21)."""

from decimal import Decimal

from services.registry.leads.rules import VISIT_WORKING_DAYS
from shared.parameters import Definition

DEFINITIONS = {
    VISIT_WORKING_DAYS: Definition(
        key=VISIT_WORKING_DAYS,
        unit="working days",
        minimum=Decimal(1),
        maximum=Decimal(60),
        description_zh="困难线索的入户走访时限(工作日)",
        scopes=("county", "city"),
    )
}
"""The bounds catch a value typed in the wrong unit; the law sets none."""
