"""Until when a task is due (R29, C5): working days from the day that set it off. Pure."""

from datetime import date
from decimal import Decimal

from shared.workdays import Calendar, Deadline

LATEST = date.max
"""Where a task without a day stands on the board: after all that have one."""


def due(calendar: Calendar, from_day: date, working_days: Decimal | None) -> Deadline | None:
    """The last day of a limit of ``working_days``; None without an approved one.

    Example: set off on Wednesday 2026-09-30 for 5 days, holiday 1 to 7 October, the 10th made up:
    8, 9, 10, 12 and 13 October count, so due on 2026-10-13.
    """
    return None if working_days is None else calendar.add(from_day, int(working_days))


def overdue(due_on: date | None, *, today: date) -> bool:
    """Whether an open task is late. Example: due on the 13th it is late from the 14th on."""
    return due_on is not None and today > due_on
