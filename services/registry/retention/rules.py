"""Which raw answers are past keeping (section 7, retention). Pure."""

from datetime import date

from shared import clock

ANSWER_YEARS = "retention.answer_years"
"""The parameter with the years for which a raw answer is kept after its last use."""


def used_before(today: date, years: int) -> date:
    """Answers last used before this day go; one used on it stays.

    Used is an answer when it came, and whenever a report was made on it. Example: two years, on
    2026-11-25: 2024-11-25; on 29 February 2028: 2026-02-28.
    """
    return clock.add_months(today, -12 * years)
