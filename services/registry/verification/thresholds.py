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
    """Up to where an answer raises no doubt; ``dwellings`` is where one begins.

    The strictest stand in where a household moved to a county without a figure of its own.
    """

    vehicles: Decimal = Decimal(0)
    dwellings: Decimal = Decimal(1)
    property_years: Decimal = Decimal(20)
    business_capital: Decimal = Decimal(0)
    tax_paid: Decimal = Decimal(0)
    wage_percent: Decimal = Decimal(0)
    securities: Decimal = Decimal(0)
    medical_self_paid: Decimal = Decimal(0)
    living_costs: Decimal = Decimal(0)


KEYS: Mapping[str, str] = {name: f"verification.{name}" for name in Thresholds.__dataclass_fields__}
"""The parameter of each threshold."""
