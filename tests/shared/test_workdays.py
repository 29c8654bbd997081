"""Working days by the State Council calendar; the time limits of R29."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import workdays
from shared.db import Database
from shared.workdays import Calendar, Deadline, WorkingDay
from tests.conftest import DatabaseOf

KNOWN = Calendar({row.day: row.working for row in workdays.seed_rows()})
DAY = timedelta(days=1)


def test_the_worked_example_of_r29() -> None:
    opinion = KNOWN.add(date(2016, 9, 30), 15)
    assert opinion == Deadline(date(2016, 10, 26), provisional=False)
    notice_ends = workdays.next_notice_end(opinion.on, 7)
    assert notice_ends == date(2016, 11, 2)
    assert KNOWN.add(notice_ends + DAY, 5) == Deadline(date(2016, 11, 10), provisional=False)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2016, 9, 30), True),
        (date(2016, 10, 1), False),
        (date(2016, 10, 7), False),
        (date(2016, 10, 8), True),
        (date(2016, 10, 9), True),
        (date(2016, 10, 15), False),
        (date(2004, 1, 1), False),
        (date(2026, 12, 31), True),
    ],
)
def test_make_up_days_count_and_feasts_do_not(day: date, working: bool) -> None:
    assert KNOWN.is_working(day) is working
    assert KNOWN.knows(day)


def test_a_notice_runs_through_the_spring_festival_and_working_days_do_not() -> None:
    eve = date(2026, 2, 13)  # Saturday the 14th is worked, the 15th to the 23rd are off
    assert workdays.next_notice_end(eve, 7) == date(2026, 2, 20)
    assert KNOWN.add(eve, 5).on == date(2026, 2, 27)


@pytest.mark.parametrize(
    ("start", "days", "on", "provisional"),
    [
        (date(2026, 12, 30), 1, date(2026, 12, 31), False),
        (date(2026, 12, 30), 2, date(2027, 1, 1), True),
        (date(2026, 12, 31), 1, date(2027, 1, 1), True),
        (date(2027, 1, 1), 1, date(2027, 1, 4), True),
        (date(2003, 12, 31), 1, date(2004, 1, 2), False),
    ],
)
def test_past_the_known_years_weekdays_count_provisionally(
    start: date, days: int, on: date, provisional: bool
) -> None:
    assert KNOWN.add(start, days) == Deadline(on, provisional)


def test_a_provisional_day_is_counted_anew_once_its_year_is_known() -> None:
    by_weekday = Calendar().add(date(2026, 12, 31), 4)
    year = {date(2027, 1, day): day not in {1, 2, 3, 9, 10} for day in range(1, 32)}

    assert by_weekday == Deadline(date(2027, 1, 6), provisional=True)
    for since in (date(2026, 12, 1), date(2026, 12, 31)):
        assert Calendar(year).recount(by_weekday.on, since) == Deadline(date(2027, 1, 7))
    # Set off after the holiday: it was never counted.
    assert Calendar(year).recount(by_weekday.on, date(2027, 1, 4)) == Deadline(date(2027, 1, 6))
    with pytest.raises(ValueError, match="2027-01-06"):
        Calendar().recount(by_weekday.on, date(2026, 12, 31))


def test_a_calendar_is_not_changed_through_what_it_was_made_from() -> None:
    days = {date(2027, 1, 1): False}
    calendar = Calendar(days)
    days[date(2027, 1, 1)] = True
    assert not calendar.is_working(date(2027, 1, 1))


@pytest.mark.parametrize("days", [0, -1])
def test_a_limit_has_at_least_a_day(days: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        KNOWN.add(date(2026, 1, 5), days)
    with pytest.raises(ValueError, match="at least one"):
        workdays.next_notice_end(date(2026, 1, 5), days)


dates = st.dates(date(2003, 6, 1), date(2028, 6, 1))


@given(dates, st.integers(1, 60))
def test_a_limit_ends_on_a_working_day_with_as_many_in_between(start: date, days: int) -> None:
    end = KNOWN.add(start, days).on
    counted = [start + DAY * n for n in range(1, (end - start).days + 1)]
    assert sum(map(KNOWN.is_working, counted)) == days
    assert KNOWN.is_working(end)


@given(dates, st.integers(0, 40), st.integers(1, 60))
def test_later_triggers_and_longer_limits_never_end_earlier(
    start: date, later: int, days: int
) -> None:
    end = KNOWN.add(start, days).on
    assert KNOWN.add(start + DAY * later, days).on >= end
    assert KNOWN.add(start, days + 1).on > end


def test_the_seed_covers_every_day_of_its_years_once() -> None:
    rows = workdays.seed_rows()
    days = [row.day for row in rows]
    assert days == [date(2004, 1, 1) + DAY * n for n in range(len(days))]
    assert (days[-1].month, days[-1].day) == (12, 31)
    assert WorkingDay(date(2016, 10, 8), working=True, name="国庆节") in rows


def test_an_announcement_becomes_whole_years() -> None:
    off = WorkingDay(date(2028, 1, 3), working=False, name="元旦")
    rows = {row.day: row for row in workdays.year_rows([off])}
    assert len(rows) == 366
    assert rows[off.day] == off
    assert rows[date(2028, 1, 4)].working
    assert not rows[date(2028, 1, 1)].working


def test_a_day_listed_twice_is_refused() -> None:
    twice = [WorkingDay(date(2028, 1, 3), working=working) for working in (True, False)]
    with pytest.raises(ValueError, match="2028-01-03 is listed twice"):
        workdays.year_rows(twice)


@pytest.fixture
async def database(database_of: DatabaseOf) -> AsyncIterator[Database]:
    """A service's database as its worker."""
    service = await database_of("education")
    opened = Database(service.worker_url, application_name="tests")
    yield opened
    await opened.close()


def announcement(folder: Path, *lines: str) -> Path:
    """A CSV file as an officer makes it."""
    path = folder / "2027.csv"
    path.write_text("\n".join(["day,working,name", *lines]), encoding="utf-8-sig")
    return path


async def test_the_table_gives_back_the_calendar_and_seeding_again_changes_nothing(
    database: Database,
) -> None:
    async with database.transaction() as session:
        assert await workdays.seed(session) == len(workdays.seed_rows())
    async with database.transaction() as session:
        assert await workdays.seed(session) == 0
        calendar = await workdays.load(session)
    assert calendar.add(date(2016, 9, 30), 15) == Deadline(date(2016, 10, 26))
    assert calendar.add(date(2026, 12, 31), 1).provisional


async def test_an_announced_year_makes_its_deadlines_certain(
    database: Database, tmp_path: Path
) -> None:
    path = announcement(tmp_path, "2027-01-01,0,元旦", "2027-01-02,1,元旦")
    async with database.transaction() as session:
        await workdays.seed(session)
        assert await workdays.load_csv(session, path) == 365
        assert await workdays.load_csv(session, path) == 0
        calendar = await workdays.load(session)
    assert calendar.add(date(2026, 12, 31), 1) == Deadline(date(2027, 1, 2), provisional=False)


async def test_what_an_officer_loaded_outlives_the_next_seed(
    database: Database, tmp_path: Path
) -> None:
    path = announcement(tmp_path, "2026-12-31,0,临时放假")
    async with database.transaction() as session:
        await workdays.seed(session)
        await workdays.load_csv(session, path)
        assert await workdays.seed(session) == 0
        calendar = await workdays.load(session)
    assert not calendar.is_working(date(2026, 12, 31))


@pytest.mark.parametrize("line", ["2027-13-01,0,x", "2027-01-01,yes,x", "2027-01-01", ",,"])
async def test_a_line_that_cannot_be_read_is_named_and_nothing_is_written(
    database: Database, tmp_path: Path, line: str
) -> None:
    path = announcement(tmp_path, "2027-01-02,1,x", line)
    async with database.transaction() as session:
        with pytest.raises(ValueError, match=r"2027\.csv, line 3"):
            await workdays.load_csv(session, path)
        assert not (await workdays.load(session)).knows(date(2027, 1, 2))
