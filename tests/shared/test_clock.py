"""One clock for the platform, moved forward only, and only in development."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import clock

HOUSE = Path(__file__).parents[2]
WEEK = timedelta(days=7)
NEAR = timedelta(seconds=20)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A clock file in force for this test."""
    path = tmp_path / "home" / "clock.json"
    clock.configure(path, "development")
    yield path
    clock.configure(None, "production")


def real() -> datetime:
    """What time it is outside the platform."""
    return datetime.now(UTC)  # noqa: TID251 (compared with the platform's)


def test_without_a_file_the_clock_tells_real_time() -> None:
    clock.configure(None, "production")
    assert abs(clock.now() - real()) < NEAR
    with pytest.raises(clock.ClockError, match="BANGFU_CLOCK_FILE"):
        clock.advance(WEEK)


def test_production_refuses_a_movable_clock_at_start(tmp_path: Path) -> None:
    with pytest.raises(clock.ClockError, match="development only"):
        clock.configure(tmp_path / "clock.json", "production")


def test_a_step_forward_moves_now_and_today(file: Path) -> None:
    before = clock.today()
    assert clock.advance(WEEK) - real() > WEEK - NEAR
    assert clock.today() == before + WEEK
    assert clock.advance(WEEK) - real() > 2 * WEEK - NEAR


@pytest.mark.parametrize("by", [timedelta(), timedelta(microseconds=-1), -WEEK])
def test_never_backward_nor_on_the_spot(file: Path, by: timedelta) -> None:
    with pytest.raises(clock.ClockError, match="forward only"):
        clock.advance(by)
    assert not file.exists()


def test_another_process_sees_the_step_and_this_one_sees_its(file: Path) -> None:
    clock.advance(WEEK)
    step = (
        "import sys; from datetime import timedelta; from pathlib import Path\n"
        "from shared import clock\n"
        "clock.configure(Path(sys.argv[1]), 'development')\n"
        "print(clock.now().isoformat()); clock.advance(timedelta(days=7))"
    )
    other = subprocess.run(
        [sys.executable, "-c", step, str(file)], cwd=HOUSE, capture_output=True, check=True
    )
    seen = datetime.fromisoformat(other.stdout.decode().strip())
    assert abs(seen - real() - WEEK) < NEAR
    assert abs(clock.now() - real() - 2 * WEEK) < NEAR


def test_two_steps_at_once_both_count(file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(clock.advance, [timedelta(hours=1)] * 40))
    assert json.loads(file.read_text())["offset_seconds"] == 40 * 3600


def test_a_running_process_never_goes_back(file: Path) -> None:
    clock.advance(WEEK)
    file.write_text(json.dumps({"offset_seconds": 60}))
    assert clock.now() - real() > WEEK - NEAR
    file.unlink()
    assert clock.now() - real() > WEEK - NEAR


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"offset_seconds": "x"}', '{"offset_sec'])
def test_a_damaged_file_is_told_at_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "clock.json"
    path.write_text(content)
    with pytest.raises(clock.ClockError, match="damaged"):
        clock.configure(path, "development")
    clock.configure(None, "production")


def test_a_file_that_points_to_the_past_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    path.write_text('{"offset_seconds": -1}')
    with pytest.raises(clock.ClockError, match="past"):
        clock.configure(path, "development")
    clock.configure(None, "production")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 1, 16, tzinfo=UTC), date(2026, 3, 2)),
        (datetime(2025, 12, 31, 16, tzinfo=UTC), date(2026, 1, 1)),
    ],
)
def test_a_day_is_a_shanghai_day(moment: datetime, day: date) -> None:
    assert clock.day_of(moment) == day


def test_a_moment_without_zone_has_no_day() -> None:
    with pytest.raises(ValueError, match="zone"):
        clock.day_of(datetime(2026, 3, 1))  # noqa: DTZ001 (that is the point)


@pytest.mark.parametrize(
    ("day", "first", "following"),
    [
        (date(2026, 3, 31), date(2026, 3, 1), date(2026, 4, 1)),
        (date(2026, 12, 1), date(2026, 12, 1), date(2027, 1, 1)),
        (date(2024, 2, 29), date(2024, 2, 1), date(2024, 3, 1)),
    ],
)
def test_months(day: date, first: date, following: date) -> None:
    assert clock.month_of(day) == first
    assert clock.next_month(day) == following


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 3, 31), -13, date(2025, 2, 28)),
        (date(2026, 3, 31), 0, date(2026, 3, 31)),
    ],
)
def test_months_are_natural_and_held_to_their_end(day: date, months: int, expected: date) -> None:
    assert clock.add_months(day, months) == expected


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(-1200, 1200))
def test_adding_months_keeps_the_day_or_takes_the_last(day: date, months: int) -> None:
    moved = clock.add_months(day, months)
    assert (moved.year - day.year) * 12 + moved.month - day.month == months
    assert moved.day == day.day or moved == clock.next_month(moved) - timedelta(days=1)
