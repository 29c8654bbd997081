"""When a household is looked at again after a death (section 5: within three months). Pure."""

from datetime import date
from decimal import Decimal

from services.registry.households.facts import HouseholdChange, LeaveReason
from shared import clock
from shared.contracts.registry import State

REVIEW_MONTHS = "death.review_months"
"""The parameter with the months after a death within which the household is looked at again."""


def died_on(state: State, change: HouseholdChange) -> date | None:
    """The day of a death that asks for a review: somebody of a household on assistance died."""
    died = any(left.reason is LeaveReason.DIED for left in change.leave)
    return change.valid_from if died and state.on_assistance else None


def due_on(death: date, months: Decimal | None) -> date | None:
    """The last day for the review; None without an approved parameter.

    Example: died on 2026-11-30, three months: due on 2027-02-28.
    """
    return None if months is None else clock.add_months(death, int(months))


def answers(checked_on: date, deaths: list[date]) -> bool:
    """Whether an income check is the review: made on or after the last death, not before it."""
    return not deaths or checked_on >= max(deaths)
