"""Mutual aid's rules as tables, with both sides of every boundary (C55)."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.relief.mutual_aid import rules
from services.relief.mutual_aid.rules import LeftBehind, Role
from shared.contracts.registry import Sex
from shared.errors import Fault

TODAY = date(2026, 6, 15)
FOUNDED = date(2026, 3, 1)
DAY = timedelta(days=1)
ONE, TWO = UUID(int=1), UUID(int=2)


def codes(faults: list[Fault]) -> list[str]:
    return [fault.code for fault in faults]


@pytest.mark.parametrize(
    ("born", "sex", "kind"),
    [
        (date(1966, 6, 15), Sex.MALE, LeftBehind.ELDER),
        (date(1966, 6, 16), Sex.MALE, LeftBehind.OTHER),
        (date(1966, 6, 16), Sex.FEMALE, LeftBehind.WOMAN),
        (date(2010, 6, 15), Sex.FEMALE, LeftBehind.WOMAN),
        (date(2010, 6, 15), Sex.MALE, LeftBehind.OTHER),
        (date(2010, 6, 16), Sex.FEMALE, LeftBehind.CHILD),
    ],
)
def test_how_the_left_behind_are_counted(born: date, sex: Sex, kind: LeftBehind) -> None:
    assert rules.left_behind_kind(born, sex, TODAY) is kind


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"joined_on": FOUNDED}, []),
        ({"joined_on": FOUNDED - DAY}, ["joined_on_impossible"]),
        ({"joined_on": TODAY}, []),
        ({"joined_on": TODAY + DAY}, ["joined_on_impossible"]),
        ({"dissolved_on": TODAY}, ["group_dissolved"]),
        ({"registered": False}, []),
        ({"registered": False, "role": Role.CARED_FOR}, ["person_unknown"]),
        ({"role": Role.CARED_FOR}, []),
        ({"roles_held": {Role.HELPER}}, ["already_member"]),
        ({"roles_held": {Role.CARED_FOR}}, []),
        ({"role": Role.LEADER}, []),
        ({"role": Role.LEADER, "has_leader": True}, ["leader_exists"]),
        ({"has_leader": True}, []),
    ],
)
def test_who_may_join(changes: dict[str, Any], found: list[str]) -> None:
    known: dict[str, Any] = {
        "role": Role.HELPER,
        "joined_on": TODAY - DAY,
        "founded_on": FOUNDED,
        "dissolved_on": None,
        "registered": True,
        "roles_held": (),
        "has_leader": False,
        "today": TODAY,
    }
    assert codes(rules.joining_faults(**(known | changes))) == found


@pytest.mark.parametrize(
    ("held_on", "dissolved_on", "fine"),
    [
        (FOUNDED - DAY, None, False),
        (FOUNDED, None, True),
        (TODAY, None, True),
        (TODAY + DAY, None, False),
        (TODAY - DAY, TODAY - DAY, True),
        (TODAY, TODAY - DAY, False),
    ],
)
def test_the_day_of_an_activity(held_on: date, dissolved_on: date | None, *, fine: bool) -> None:
    faults = rules.activity_faults(
        held_on=held_on,
        founded_on=FOUNDED,
        dissolved_on=dissolved_on,
        people=[ONE],
        members={ONE},
        today=TODAY,
    )
    assert codes(faults) == ([] if fine else ["held_on_impossible"])


def test_every_stranger_of_an_activity_is_named() -> None:
    faults = rules.activity_faults(
        held_on=TODAY,
        founded_on=FOUNDED,
        dissolved_on=None,
        people=[ONE, TWO, UUID(int=3)],
        members={TWO},
        today=TODAY,
    )
    assert [fault.where for fault in faults] == ["#/person_ids/0", "#/person_ids/2"]


@pytest.mark.parametrize(
    ("day", "fine"),
    [(FOUNDED - DAY, False), (FOUNDED, True), (TODAY, True), (TODAY + DAY, False)],
)
def test_the_last_day_of_a_stay_and_of_a_group(day: date, *, fine: bool) -> None:
    left = rules.leaving_faults(day, joined_on=FOUNDED, today=TODAY)
    ended = rules.ending_faults("closed_on", day, since=FOUNDED, today=TODAY)
    assert codes(left) == ([] if fine else ["left_on_impossible"])
    assert codes(ended) == ([] if fine else ["closed_on_impossible"])
