"""The monthly books' period, who counts as having left, and age groups. Pure.

Policy section 9: new, exit, increase and decrease lists, totals by category and age; "statistical
cut-off may be the 15th, not month-end".
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from services.registry.lifecycle.ruling import Move
from shared.contracts.registry import State

CUT_OFF_DAY: Final = "rosters.cut_off_day"
"""The parameter with the last day of a statistical month; without it the calendar's last day."""
LAST_DAY: Final = 31

AGE_GROUPS: Final[tuple[tuple[str, int], ...]] = (
    ("0—5岁", 0),
    ("6—15岁", 6),
    ("16—59岁", 16),
    ("60—79岁", 60),
    ("80岁及以上", 80),
)
"""Groups and the age they begin with: before school, at it, of working age (R7), old, very old."""


class ListKind(StrEnum):
    """The four lists: households that came, that went, and whose dibao grant rose or fell."""

    NEW = "new"
    EXIT = "exit"
    INCREASE = "increase"
    DECREASE = "decrease"


@dataclass(frozen=True, slots=True)
class Period:
    """A statistical month: its calendar month's first day, and its own first and last day."""

    month: date
    begins_on: date
    ends_on: date


def period(month: date, cut_off: int, cut_off_before: int) -> Period:
    """The statistical month named after ``month``, which ends on its day ``cut_off``.

    ``cut_off_before`` is the day that ended the month before, so that a county which moves its
    cut-off leaves no day out and counts none twice. A day that a month has not is its last one.

    Example: November 2026 with 15 and 15 is 16 October to 15 November; with 31 and 31 it is the
    calendar month; with 31 after 15 it is 16 October to 30 November.
    """
    before = _first_of(month) - timedelta(days=1)
    ended = _day_in(before, cut_off_before)
    return Period(_first_of(month), ended + timedelta(days=1), _day_in(month, cut_off))


def _first_of(month: date) -> date:
    return month.replace(day=1)


def _day_in(month: date, day: int) -> date:
    return month.replace(day=min(day, calendar.monthrange(month.year, month.month)[1]))


def age_group(age: int) -> str:
    """The group of an age in full years. Example: 5 is 0—5岁, 6 is 6—15岁, 80 is 80岁及以上."""
    return next(name for name, first in reversed(AGE_GROUPS) if age >= first)


def way_out(move: Move, before: State) -> str | None:
    """How a household left, in words; None for a decision by which it left nothing.

    ``before`` is its state on the day before. Example: an exit out of tracking is 跟踪期满退出, and
    closing a file that was struck off long ago is nothing new.
    """
    if before is State.LIFTED:
        return {Move.EXIT: "跟踪期满退出", Move.CLOSE: "跟踪期内销户"}.get(move)
    if not before.on_assistance:
        return None
    return {Move.LIFT: "脱贫", Move.EXIT: "退出", Move.CLOSE: "销户"}.get(move)
