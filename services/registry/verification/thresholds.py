"""The figures that answers are compared with: parameters by county and day, none a constant."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

DOUBT_WORKING_DAYS = "verification.doubt_working_days"
"""Within how many working days a township settles a doubt."""
REPORT_MONTHS = "verification.report_months"
"""How many months a report is valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Up to where an answer raises no doubt; ``dwellings`` is where one begins."""

    vehicles: Decimal
    dwellings: Decimal
    property_years: Decimal
    business_capital: Decimal
    tax_paid: Decimal
    wage_percent: Decimal
    securities: Decimal
    medical_self_paid: Decimal
    living_costs: Decimal


KEYS: Mapping[str, str] = {name: f"verification.{name}" for name in Thresholds.__dataclass_fields__}
"""The parameter of each threshold."""
