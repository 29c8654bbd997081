"""Until when a task is due, on both sides of its last day."""

from datetime import date
from decimal import Decimal

import pytest

from services.registry.tasks.rules import due, overdue
from shared.workdays import Calendar, seed_rows

CALENDAR = Calendar({row.day: row.working for row in seed_rows()})


@pytest.mark.parametrize(
    ("from_day", "days", "on", "provisional"),
    [
        (date(2026, 6, 10), 5, date(2026, 6, 17), False),
        (date(2026, 9, 30), 5, date(2026, 10, 13), False),
        (date(2026, 12, 28), 5, date(2027, 1, 4), True),
    ],
)
def test_it_is_due_in_working_days(
    from_day: date, days: int, on: date, *, provisional: bool
) -> None:
    limit = due(CALENDAR, from_day, Decimal(days))

    assert limit is not None
    assert (limit.on, limit.provisional) == (on, provisional)


def test_without_an_approved_limit_it_has_no_day() -> None:
    assert due(CALENDAR, date(2026, 6, 10), None) is None


@pytest.mark.parametrize(
    ("due_on", "late"),
    [(date(2026, 6, 10), False), (date(2026, 6, 9), True), (None, False)],
)
def test_it_is_late_from_the_day_after_its_last(due_on: date | None, *, late: bool) -> None:
    assert overdue(due_on, today=date(2026, 6, 10)) is late
