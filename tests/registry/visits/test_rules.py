"""What a visit must say, and by which days a lifted household is visited, as tables (C23, R35)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.registry.households.facts import Facts
from services.registry.visits import rules
from services.registry.visits.rules import Visit
from shared.clock import SHANGHAI
from tests.registry.lifecycle.judged import IDENTIFIED, accepted, closed, identified, lifted

TODAY = date(2026, 11, 25)
PHOTO = UUID(int=3)


def visit(**given: Any) -> Visit:
    known: dict[str, Any] = {"visited_on": TODAY, "findings": "家庭情况稳定"}
    return Visit(**(known | given))


def faults(facts: Facts, made: Visit, taken: datetime | None = None) -> list[str]:
    known = {PHOTO: taken}
    found = rules.visit_faults(facts, made, known, officer_id="h1", today=TODAY)
    return [fault.code for fault in found]


@pytest.mark.parametrize(
    ("facts", "given", "expected"),
    [
        (identified(), {}, []),
        (lifted(), {}, []),
        (accepted(), {}, ["household_not_assisted"]),
        (closed(), {}, ["household_not_assisted"]),
        (identified(), {"visited_on": date(2026, 11, 26)}, ["date_in_future"]),
        (identified(), {"visited_on": IDENTIFIED}, []),
        (
            identified(),
            {"visited_on": IDENTIFIED - timedelta(days=1)},
            ["before_episode"],
        ),
        (lifted(date(2026, 6, 1)), {"visited_on": date(2026, 6, 1)}, []),
        (lifted(date(2026, 6, 1)), {"visited_on": date(2026, 5, 31)}, ["before_episode"]),
        (identified(), {"findings": " "}, ["findings_missing"]),
        (identified(), {"latitude": Decimal("28.45")}, ["place_incomplete"]),
        (identified(), {"latitude": Decimal("28.45"), "longitude": Decimal("119.48")}, []),
        (
            identified(),
            {"latitude": Decimal("39.90"), "longitude": Decimal("116.40")},
            ["place_elsewhere"],
        ),
    ],
)
def test_what_a_visit_says(facts: Facts, given: dict[str, Any], expected: list[str]) -> None:
    assert faults(facts, visit(**given)) == expected


@pytest.mark.parametrize(("day", "ours"), [(21, False), (22, True), (25, True), (26, False)])
def test_a_photo_is_of_the_visit(day: int, *, ours: bool) -> None:
    taken = datetime(2026, 11, day, 0, 30, tzinfo=SHANGHAI)
    found = faults(identified(), visit(photos=(PHOTO,)), taken)
    assert found == ([] if ours else ["photo_of_another_day"])


def test_a_photo_without_a_day_is_taken_at_its_word() -> None:
    assert faults(identified(), visit(photos=(PHOTO,))) == []


@pytest.mark.parametrize(
    ("lifted_on", "months", "expected"),
    [
        ("2026-01-31", 12, ["2026-04-30", "2026-07-31", "2026-10-31", "2027-01-31"]),
        ("2026-01-31", 11, ["2026-04-30", "2026-07-31", "2026-10-31"]),
        (
            "2026-01-31",
            18,
            ["2026-04-30", "2026-07-31", "2026-10-31", "2027-01-31", "2027-07-31"],
        ),
        ("2027-11-29", 3, ["2028-02-29"]),
        ("2026-11-30", 3, ["2027-02-28"]),
        ("2026-01-31", 2, []),
    ],
)
def test_quarterly_in_the_first_year_then_half_yearly(
    lifted_on: str, months: int, expected: list[str]
) -> None:
    days = rules.tracking_days(date.fromisoformat(lifted_on), months, 3, 6)
    assert [day.isoformat() for day in days] == expected


def test_a_planned_day_is_met_by_the_last_visit_before_it() -> None:
    lifted_on = date(2026, 1, 31)
    days = rules.tracking_days(lifted_on, 12, 3, 6)
    visits = [date(2026, 1, 31), date(2026, 3, 20), date(2026, 4, 30), date(2026, 8, 1)]

    assert rules.met(days, lifted_on, visits) == {
        date(2026, 4, 30): date(2026, 4, 30),
        date(2026, 7, 31): None,
        date(2026, 10, 31): date(2026, 8, 1),
        date(2027, 1, 31): None,
    }
