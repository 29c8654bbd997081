"""The one clock of the platform: moments in UTC, days as Asia/Shanghai dates.

In development one offset, kept in a file that every process reads, may move forward, so that a
journey can live through a 7-day notice and a tracking year. In production it is refused at start.
"""

import calendar
import fcntl
import json
import os
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
STANDING = timedelta()

Environment = Literal["development", "production"]


class ClockError(RuntimeError):
    """The clock may not be set up or moved like this; the text says why and what to do."""


class _Offset:
    """The platform's offset as this process knows it; never goes back while the process lives."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.value = STANDING
        self._seen: tuple[int, int, int] | None = None

    def read(self) -> timedelta:
        """The newest offset. One ``os.stat`` when nothing moved."""
        if self.file is None:
            return STANDING
        with suppress(FileNotFoundError):
            stat = os.stat(self.file)  # noqa: PTH116 (on every request: Path.stat costs twice as much)
            mark = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if mark != self._seen:
                self.value = max(self.value, _offset_in(self.file))
                self._seen = mark
        return self.value


_current = _Offset()


def configure(file: Path | None, env: Environment) -> None:
    """Choose the file of the platform's offset (``BANGFU_CLOCK_FILE``); None leaves real time.

    Raises ClockError in production, where time is never moved, and when the file is unreadable.
    """
    global _current  # noqa: PLW0603 (one clock a process is the point)
    if file is not None and env != "development":
        raise ClockError("BANGFU_CLOCK_FILE is for BANGFU_ENV=development only: unset it")
    _current = _Offset(file)
    _current.read()


def now() -> datetime:
    """The moment it is on the platform's clock, in UTC."""
    return datetime.now(UTC) + _current.read()  # noqa: TID251 (this is that clock)


def today() -> date:
    """Today's date in Asia/Shanghai on the platform's clock."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """The Asia/Shanghai date of an aware ``moment``: 16:00 UTC is the next day's midnight."""
    if moment.tzinfo is None:
        raise ValueError("a moment without its zone has no date here")
    return moment.astimezone(SHANGHAI).date()


def advance(by: timedelta) -> datetime:
    """Move the clock of the whole platform forward ``by``, for every process; gives the new now.

    Raises ClockError without a clock file, and for anything but a step forward.
    """
    file = _current.file
    if file is None:
        raise ClockError("the clock stands on real time: set BANGFU_CLOCK_FILE in development")
    if by <= STANDING:
        raise ClockError("the clock moves forward only")
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _write(file, _current.read() + by)
    return now()


def month_of(day: date) -> date:
    """The first day of ``day``'s month: 2026-03-31 gives 2026-03-01."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """The first day of the month after ``day``'s (R13): 2026-12-31 gives 2027-01-01."""
    return add_months(month_of(day), 1)


def add_months(day: date, months: int) -> date:
    """``day`` moved by natural months, held to the month's end: 31 January + 1 is 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def _offset_in(file: Path) -> timedelta:
    try:
        seconds = json.loads(file.read_bytes())["offset_seconds"]
        offset = timedelta(seconds=float(seconds))
    except (ValueError, KeyError, TypeError, OverflowError) as broken:
        raise ClockError(f"the clock file {file} is damaged: delete it") from broken
    if offset < STANDING:
        raise ClockError(f"the clock file {file} points to the past: delete it")
    return offset


def _write(file: Path, offset: timedelta) -> None:
    # A rename, so that a reader finds the old offset or the new one and never half a file.
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with draft.open("wb") as written:
        written.write(json.dumps({"offset_seconds": offset.total_seconds()}).encode())
        written.flush()
        os.fsync(written.fileno())
    draft.replace(file)
