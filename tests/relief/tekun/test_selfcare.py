"""TK 21-23: the six items, whose look counts, what an entry must say, by when a change is seen."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.relief.tekun.selfcare import (
    Entry,
    Item,
    Level,
    confirmation_fault,
    entry_faults,
    in_force,
    level_of,
    reassess_by,
)
from shared.workdays import Calendar, seed_rows
from tests.relief.tekun.facts import HIS_BROTHER, OLD_WANG, assessment

TODAY = date(2026, 6, 15)
CALENDAR = Calendar({row.day: row.working for row in seed_rows()})


@pytest.mark.parametrize(
    ("failed", "level"),
    [
        (0, Level.ABLE),
        (1, Level.PARTLY),
        (2, Level.PARTLY),
        (3, Level.PARTLY),
        (4, Level.LOST),
        (5, Level.LOST),
        (6, Level.LOST),
    ],
)
def test_the_level_goes_by_how_many_items_failed(failed: int, level: Level) -> None:
    assert level_of(tuple(Item)[:failed]) is level
    assert level_of(tuple(Item)[6 - failed :]) is level, "whichever items they are"


def test_an_item_counts_once() -> None:
    assert level_of([Item.BATHE] * 4) is Level.PARTLY


def test_there_are_six_items() -> None:
    assert [item.value for item in Item] == ["eat", "dress", "bed", "toilet", "walk", "bathe"]


@pytest.mark.parametrize(
    ("month", "failed"),
    [
        (date(2026, 3, 1), None),  # confirmed on 1 March: from April on (R13)
        (date(2026, 4, 1), 1),
        (date(2026, 5, 1), 1),  # the second was looked at in April and confirmed on 1 May
        (date(2026, 6, 1), 4),
    ],
)
def test_an_assessment_counts_from_the_month_after_its_confirmation(
    month: date, failed: int | None
) -> None:
    looks = [
        assessment(1, date(2026, 2, 20), confirmed_on=date(2026, 3, 1)),
        assessment(4, date(2026, 4, 20), confirmed_on=date(2026, 5, 1), number=2),
    ]
    found = in_force(looks, OLD_WANG, month)
    assert (None if found is None else len(found.failed)) == failed


def test_the_newest_look_counts_though_an_older_one_is_confirmed_after_it() -> None:
    looks = [
        assessment(4, date(2026, 2, 1), confirmed_on=date(2026, 2, 2)),
        assessment(1, date(2026, 1, 1), confirmed_on=date(2026, 3, 3), number=2),
    ]
    found = in_force(looks, OLD_WANG, date(2026, 4, 1))
    assert found is not None
    assert found.level is Level.LOST


def test_nobody_is_judged_by_another_s_assessment() -> None:
    assert in_force([assessment(1, date(2026, 1, 1))], HIS_BROTHER, date(2026, 4, 1)) is None


def entry(**changes: Any) -> Entry:
    known: dict[str, Any] = {"person_id": OLD_WANG, "assessed_on": TODAY, "failed": ()}
    return Entry(**{**known, "document_number": "松民评〔2026〕1号", **changes})


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"assessed_on": TODAY + timedelta(days=1)}, ["in_future"]),
        ({"person_id": HIS_BROTHER}, ["person_not_member"]),
        ({"document_number": None}, ["evidence_missing"]),
        ({"document_number": None, "attachment_id": UUID(int=5)}, []),
        (
            {
                "person_id": HIS_BROTHER,
                "assessed_on": TODAY + timedelta(days=1),
                "document_number": None,
            },
            ["person_not_member", "in_future", "evidence_missing"],
        ),
    ],
)
def test_every_fault_of_an_entry_is_named(changes: dict[str, Any], codes: list[str]) -> None:
    found = entry_faults(entry(**changes), {OLD_WANG}, today=TODAY)
    assert [fault.code for fault in found] == codes


@pytest.mark.parametrize(
    ("officer", "withdrawn", "confirmed", "code"),
    [
        ("o2", False, False, None),
        ("o1", False, False, "same_officer"),
        ("o1", True, True, "same_officer"),
        ("o2", True, False, "assessment_withdrawn"),
        ("o2", False, True, "assessment_confirmed"),
    ],
)
def test_another_officer_confirms(
    officer: str, withdrawn: bool, confirmed: bool, code: str | None
) -> None:
    fault = confirmation_fault(
        assessor="o1", officer=officer, withdrawn=withdrawn, confirmed=confirmed
    )
    assert (None if fault is None else fault[0]) == code


@pytest.mark.parametrize(
    ("reported_on", "working_days", "due_on"),
    [
        (date(2026, 11, 2), 10, date(2026, 11, 16)),  # two plain weeks
        (date(2026, 9, 30), 10, date(2026, 10, 20)),  # over the holiday; Saturday the 10th counts
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        (date(2026, 11, 2), 11, date(2026, 11, 16)),  # nothing lengthens what the law sets
        (date(2026, 11, 2), 0, date(2026, 11, 3)),
    ],
)
def test_a_change_is_seen_within_ten_working_days(
    reported_on: date, working_days: int, due_on: date
) -> None:
    deadline = reassess_by(reported_on, working_days, CALENDAR)
    assert (deadline.on, deadline.provisional) == (due_on, False)


def test_a_limit_into_an_unannounced_year_is_provisional() -> None:
    assert reassess_by(date(2026, 12, 30), 10, CALENDAR).provisional
