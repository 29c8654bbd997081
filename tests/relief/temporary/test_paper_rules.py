"""Papers that follow: which, and until when, over a holiday too (R23, R29)."""

from datetime import date, timedelta

import pytest

from services.relief.temporary.paper_rules import (
    AFTERWARDS,
    Paper,
    is_late,
    papers_due,
    papers_faults,
)
from shared.errors import Fault
from shared.workdays import Calendar, seed_rows
from tests.relief.temporary.facts import TODAY, terms

CALENDAR = Calendar({row.day: row.working for row in seed_rows()})
YESTERDAY = TODAY - timedelta(days=1)


def codes(faults: list[Fault]) -> list[str]:
    return [fault.code for fault in faults]


@pytest.mark.parametrize(
    ("decided_on", "due"),
    [
        # over the holiday of 1 to 7 October, with make-up work on Saturday the 10th
        (date(2026, 9, 29), date(2026, 10, 19)),
        (date(2026, 5, 20), date(2026, 6, 3)),
    ],
)
def test_papers_are_due_on_the_tenth_working_day(decided_on: date, due: date) -> None:
    counted = 0
    day = decided_on
    while counted < 10:
        day += timedelta(days=1)
        counted += CALENDAR.is_working(day)
    found = papers_due(decided_on, terms(), CALENDAR)
    assert (found.on, found.provisional) == (day, False)
    assert not is_late(found.on, found.on)
    assert is_late(found.on, found.on + timedelta(days=1))
    assert found.on == due


def test_a_limit_into_an_unannounced_year_is_provisional() -> None:
    assert papers_due(date(2026, 12, 25), terms(), CALENDAR).provisional


@pytest.mark.parametrize("missing", AFTERWARDS)
def test_each_missing_paper_is_named(missing: Paper) -> None:
    kinds = set(AFTERWARDS) - {missing}
    faults = papers_faults(kinds, received_on=TODAY, decided_on=TODAY, today=TODAY)
    assert codes(faults) == ["paper_missing"]
    assert papers_faults(AFTERWARDS, received_on=TODAY, decided_on=TODAY, today=TODAY) == []
    none = papers_faults((), received_on=TODAY, decided_on=TODAY, today=TODAY)
    assert codes(none) == ["paper_missing"] * 4


@pytest.mark.parametrize(
    ("received_on", "expected"),
    [
        (YESTERDAY, ["received_on_impossible"]),
        (TODAY, []),
        (TODAY + timedelta(days=1), ["received_on_impossible"]),
    ],
)
def test_papers_come_between_the_decision_and_today(received_on: date, expected: list[str]) -> None:
    faults = papers_faults(AFTERWARDS, received_on=received_on, decided_on=TODAY, today=TODAY)
    assert codes(faults) == expected
