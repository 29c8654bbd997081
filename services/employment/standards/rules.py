"""Which figures employment's decisions are made with, by their keys (R30)."""

OFFER_WORKING_DAYS = "emp.offer_working_days"
"""Working days within which a zero-employment household is made an offer."""

MIGRANT_MONTHS = "emp.migrant_months"
"""Months that migrant work must have lasted before it counts."""


def moves_deadlines(key: str) -> bool:
    """Whether a new value of ``key`` moves the deadlines of open cases (R30).

    Example: ``emp.offer_working_days`` does; ``emp.migrant_months`` is kept with each placement.
    """
    return key == OFFER_WORKING_DAYS
