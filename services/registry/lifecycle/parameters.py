"""The policy parameters that the registry owns: how long a lifted household is tracked (C23)."""

from decimal import Decimal

from services.registry.lifecycle.rules import tracking_key
from shared.contracts.registry import Category
from shared.parameters import Definition

DEFINITIONS = {
    tracking_key(category): Definition(
        key=tracking_key(category),
        unit="months",
        minimum=Decimal(1),
        maximum=Decimal(120),
        description_zh="脱贫后的跟踪期(月)",
        scopes=("county", "city"),
    )
    for category in Category
}
"""One a category; policy section 5 gives 36 months for the 4600 group and 12 for dibao exits."""
