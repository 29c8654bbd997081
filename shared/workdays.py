"""Working days by the State Council calendar, and the time limits of R29 reckoned with them.

Rules take a ``Calendar`` as an argument and never read the table behind it. Make-up Saturdays and
Sundays count as working; a day that no announcement covers yet counts by its weekday and makes the
deadline provisional.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import chinese_calendar
from sqlalchemy import Boolean, Column, Date, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import platform_metadata

_DAY = timedelta(days=1)
_SATURDAY = 5
SEED_SOURCE = "chinese-calendar"

WORKING_DAYS = Table(
    "working_days",
    platform_metadata,
    Column("day", Date, primary_key=True),
    Column("working", Boolean, nullable=False),
    Column("name", Text),
    Column("source", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day of a time limit. ``provisional``: a day was counted that no year covers yet."""

    on: date
    provisional: bool = False


class WorkingDay(NamedTuple):
    """One row of ``working_days``: whether the State Council has ``day`` worked, and its feast."""

    day: date
    working: bool
    name: str | None = None


class Calendar:
    """Which days are worked. Immutable; made from the rows of ``working_days``."""

    __slots__ = ("_days",)

    def __init__(self, days: Mapping[date, bool] = MappingProxyType({})) -> None:
        self._days = MappingProxyType(dict(days))

    def knows(self, day: date) -> bool:
        """Whether an announced calendar covers ``day``."""
        return day in self._days

    def is_working(self, day: date) -> bool:
        """Whether ``day`` is worked; by its weekday where no announced calendar covers it."""
        return self._days.get(day, day.weekday() < _SATURDAY)

    def add(self, start: date, working_days: int) -> Deadline:
        """The last day of a limit of ``working_days`` that ``start`` sets off (R29).

        Counting begins the day after ``start``: accepted on Friday 2016-09-30, with the holiday of
        1 to 7 October and make-up work on the 8th and 9th, 15 working days end on 2016-10-26.
        Raises ValueError for less than one day.
        """
        if working_days < 1:
            raise ValueError("a time limit has at least one working day")
        day, left, provisional = start, working_days, False
        while left:
            day += _DAY
            left -= self.is_working(day)
            provisional = provisional or not self.knows(day)
        return Deadline(day, provisional)

    def recount(self, provisional: date, since: date) -> Deadline:
        """A provisional last day counted anew, now that its year is announced.

        The days of that year after ``since``, when the limit was set off, were counted by weekday;
        as many working days are counted now. Example: 2027-01-06, while 1 January 2027 was not
        known to be a holiday, was the fourth day of the year; with the holiday it is 2027-01-07.
        Set off on 2027-01-04, it stays. Raises ValueError while the day is unknown.
        """
        if not self.knows(provisional):
            raise ValueError(f"{provisional} is not covered by an announced calendar yet")
        before = max(since, date(provisional.year - 1, 12, 31))
        days = (before + timedelta(days=at) for at in range(1, (provisional - before).days + 1))
        return self.add(before, sum(day.weekday() < _SATURDAY for day in days))


def next_notice_end(posted: date, days: int) -> date:
    """The last day of a public notice of ``days`` full calendar days posted on ``posted`` (R29).

    The day of posting does not count: posted on 2016-10-26 for 7 days it runs from 27 October to
    2 November, and what follows may be done from 3 November. Raises ValueError under one day.
    """
    if days < 1:
        raise ValueError("a public notice has at least one day")
    return posted + timedelta(days=days)


def seed_rows() -> list[WorkingDay]:
    """Every day of the years that the package ``chinese-calendar`` knows (2004 to 2026)."""
    first = date(min(chinese_calendar.holidays).year, 1, 1)
    last = date(max(chinese_calendar.holidays).year, 12, 31)
    feasts = {feast.value: feast.chinese for feast in chinese_calendar.Holiday}
    rows = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        feast = chinese_calendar.holidays.get(day) or chinese_calendar.workdays.get(day)
        rows.append(WorkingDay(day, chinese_calendar.is_workday(day), feasts.get(feast)))
    return rows


def year_rows(exceptions: Iterable[WorkingDay]) -> list[WorkingDay]:
    """Whole years from what an announcement lists: the days off and the make-up days.

    All other days of those years count by their weekday. ``[2027-01-01 off]`` gives 365 rows.
    Raises ValueError when a day is listed twice.
    """
    listed: dict[date, WorkingDay] = {}
    for row in exceptions:
        if row.day in listed:
            raise ValueError(f"{row.day} is listed twice")
        listed[row.day] = row
    rows = []
    for year in sorted({day.year for day in listed}):
        day = date(year, 1, 1)
        while day.year == year:
            rows.append(listed.get(day) or WorkingDay(day, day.weekday() < _SATURDAY))
            day += _DAY
    return rows


async def seed(session: AsyncSession) -> int:
    """Fill ``working_days`` from the package; gives the days changed, 0 the second time.

    What an officer loaded stays.
    """
    return await _store(session, seed_rows(), source=SEED_SOURCE)


async def load_csv(session: AsyncSession, path: Path) -> int:
    """Load announced years from a CSV file with the columns day, working (0 or 1), name.

    Only the days off and the make-up days need to stand in it. Gives the days changed. Raises
    ValueError naming the line that cannot be read, before anything is written.
    """
    return await _store(session, year_rows(_csv_rows(path)), source=path.name)


async def load(session: AsyncSession) -> Calendar:
    """The calendar as the table holds it now."""
    rows = await session.execute(text("SELECT day, working FROM working_days"))
    return Calendar({row.day: row.working for row in rows})


def _csv_rows(path: Path) -> list[WorkingDay]:
    rows = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            try:
                working = {"0": False, "1": True}[row["working"]]
                rows.append(
                    WorkingDay(date.fromisoformat(row["day"]), working, row.get("name") or None)
                )
            except (KeyError, TypeError, ValueError) as unreadable:
                raise ValueError(
                    f"{path.name}, line {line}: needs day (YYYY-MM-DD) and working (0 or 1)"
                ) from unreadable
    return rows


_STORE = text(
    """
    INSERT INTO working_days AS known (day, working, name, source)
    SELECT day, working, name, :source
    FROM unnest(CAST(:days AS date[]), CAST(:working AS boolean[]), CAST(:names AS text[]))
        AS given(day, working, name)
    ON CONFLICT (day) DO UPDATE
        SET working = excluded.working, name = excluded.name, source = excluded.source
        WHERE (known.working, known.name, known.source)
            IS DISTINCT FROM (excluded.working, excluded.name, excluded.source)
            AND (known.source = :seed OR excluded.source <> :seed)
    RETURNING day
    """
)


async def _store(session: AsyncSession, rows: Iterable[WorkingDay], *, source: str) -> int:
    kept = list(rows)
    result = await session.execute(
        _STORE,
        {
            "source": source,
            "seed": SEED_SOURCE,
            "days": [row.day for row in kept],
            "working": [row.working for row in kept],
            "names": [row.name for row in kept],
        },
    )
    return len(result.all())
