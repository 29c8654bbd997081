"""Which standards leave relief as events, and which one its grants are reckoned with (C11)."""

from shared.contracts.relief import PUBLISHED_STANDARDS

DIBAO_LINE = "dibao_line"
"""The parameter that says what a person may live on, in yuan a month."""
MINIMUM_WAGE = "minimum_wage"
"""The parameter with the local minimum wage, in yuan a month."""


def is_published(key: str) -> bool:
    """Whether a standard leaves relief as an event. Example: ``dibao_line`` does."""
    return key in PUBLISHED_STANDARDS


def moves_grants(key: str) -> bool:
    """Whether dibao grants are reckoned with it, so that a new value recalculates them (C11)."""
    return key == DIBAO_LINE
