"""The monthly books' period, ways out and age groups: both sides of every boundary."""

from datetime import date
from itertools import pairwise

import pytest

from services.registry.lifecycle.ruling import Move
from services.registry.rosters.monthly_rules import age_group, period, way_out
from shared.contracts.registry import State


@pytest.mark.parametrize(
    ("month", "cut_off", "before", "begins", "ends"),
    [
        ("2026-11-01", 15, 15, "2026-10-16", "2026-11-15"),
        ("2026-11-01", 31, 31, "2026-11-01", "2026-11-30"),
        ("2026-12-01", 31, 31, "2026-12-01", "2026-12-31"),
        ("2026-11-01", 30, 30, "2026-10-31", "2026-11-30"),
        ("2026-01-01", 15, 15, "2025-12-16", "2026-01-15"),
        ("2026-02-01", 31, 31, "2026-02-01", "2026-02-28"),
        ("2028-02-01", 29, 29, "2028-01-30", "2028-02-29"),
        ("2026-03-01", 29, 29, "2026-03-01", "2026-03-29"),
        ("2026-03-01", 1, 1, "2026-02-02", "2026-03-01"),
        ("2026-11-01", 31, 15, "2026-10-16", "2026-11-30"),
        ("2026-11-01", 15, 31, "2026-11-01", "2026-11-15"),
    ],
)
def test_a_statistical_month(month: str, cut_off: int, before: int, begins: str, ends: str) -> None:
    found = period(date.fromisoformat(month), cut_off, before)
    assert (found.begins_on.isoformat(), found.ends_on.isoformat()) == (begins, ends)


@pytest.mark.parametrize("cut_off", [1, 15, 28, 29, 30, 31])
def test_the_months_of_two_years_leave_no_day_out_and_count_none_twice(cut_off: int) -> None:
    months = [date(year, month, 1) for year in (2027, 2028) for month in range(1, 13)]
    spans = [period(month, cut_off, cut_off) for month in months]
    for one, following in pairwise(spans):
        assert (following.begins_on - one.ends_on).days == 1


@pytest.mark.parametrize(
    ("age", "group"),
    [
        (0, "0—5岁"),
        (5, "0—5岁"),
        (6, "6—15岁"),
        (15, "6—15岁"),
        (16, "16—59岁"),
        (59, "16—59岁"),
        (60, "60—79岁"),
        (79, "60—79岁"),
        (80, "80岁及以上"),
        (104, "80岁及以上"),
    ],
)
def test_age_groups(age: int, group: str) -> None:
    assert age_group(age) == group


@pytest.mark.parametrize(
    ("move", "before", "way"),
    [
        (Move.LIFT, State.IDENTIFIED, "脱贫"),
        (Move.LIFT, State.RETURNED, "脱贫"),
        (Move.EXIT, State.IDENTIFIED, "退出"),
        (Move.EXIT, State.LIFTED, "跟踪期满退出"),
        (Move.CLOSE, State.IDENTIFIED, "销户"),
        (Move.CLOSE, State.LIFTED, "跟踪期内销户"),
        (Move.CLOSE, State.EXITED, None),
        (Move.CLOSE, State.ACCEPTED, None),
        (Move.IDENTIFY, State.IDENTIFIED, None),
    ],
)
def test_ways_out(move: Move, before: State, way: str | None) -> None:
    assert way_out(move, before) == way
