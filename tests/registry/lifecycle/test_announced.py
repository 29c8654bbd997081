"""Notices, checks and papers that a decision rests on, as tables (C4, C7, C60)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.registry.checks.rules import PastCheck
from services.registry.households.facts import Facts
from services.registry.lifecycle import rules
from services.registry.lifecycle.rules import Circumstances, Move, Ruling
from services.registry.plans.measures import MeasureKind
from shared.contracts.notices import NoticeOutcome, NoticeStatus
from shared.contracts.registry import Category, Cause, State
from tests.registry.lifecycle.judged import (
    ALL_MET,
    ALLOWED,
    FILES,
    OPENED,
    SURVEYOR,
    TODAY,
    accepted,
    broken,
    check,
    faults,
    identified,
    notice,
    two_checks,
)

DAY = date(2026, 11, 3)
"""The first day on which what is announced in ``notice(DAY)`` may be decided (R29's example)."""

ANNOUNCED = [
    (State.ACCEPTED, Move.IDENTIFY),
    (State.IDENTIFIED, Move.LIFT),
    (State.RETURNED, Move.LIFT),
    (State.IDENTIFIED, Move.EXIT),
    (State.RETURNED, Move.EXIT),
]


@pytest.mark.parametrize(("state", "move"), ANNOUNCED)
@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, []),
        ({"outcome": NoticeOutcome.OBJECTIONS_DISMISSED}, []),
        ({"outcome": NoticeOutcome.OBJECTION_UPHELD}, ["notice_objection_upheld"]),
        ({"outcome": NoticeOutcome.WITHDRAWN}, ["notice_missing"]),
        ({"outcome": NoticeOutcome.REFUSED, "refusal": "minor_named"}, ["notice_missing"]),
        ({"withdrawn": True}, ["notice_missing"]),
        ({"closed_on": DAY - timedelta(days=1)}, []),
        ({"closed_on": DAY + timedelta(days=1)}, ["notice_not_closed"]),
        ({"last_day": DAY}, ["notice_not_closed"]),
        ({"status": NoticeStatus.POSTED, "outcome": None, "closed_on": None}, None),
        ({"status": NoticeStatus.OBJECTED, "outcome": None, "closed_on": None}, None),
        ({"status": None, "outcome": None, "closed_on": None, "last_day": None}, None),
    ],
)
def test_nothing_is_decided_before_its_notice_has_ended_well(
    state: State, move: Move, given: dict[str, Any], codes: list[str] | None
) -> None:
    found = broken(FILES[state](), move, DAY, notice=notice(DAY, **given), checks=two_checks(DAY))

    assert found == (["notice_not_closed"] if codes is None else codes)


@pytest.mark.parametrize(("state", "move"), ANNOUNCED)
def test_nothing_is_decided_without_a_notice(state: State, move: Move) -> None:
    assert broken(FILES[state](), move, DAY, notice=None) == ["notice_missing"]


@pytest.mark.parametrize(
    ("state", "move"), sorted(ALLOWED - {pair for pair in ALLOWED if pair in ANNOUNCED})
)
def test_every_other_decision_needs_none(state: State, move: Move) -> None:
    assert broken(FILES[state](), move, date(2027, 12, 1), notice=None) == []


@pytest.mark.parametrize(
    ("status", "last_day", "says"),
    [
        (NoticeStatus.POSTED, date(2026, 11, 2), "2026-11-03"),
        (NoticeStatus.OBJECTED, date(2026, 11, 2), "异议尚待答复"),
        (None, None, "尚未张贴"),
    ],
)
def test_who_decides_too_early_is_told_from_when(
    status: NoticeStatus | None, last_day: date | None, says: str
) -> None:
    early = date(2026, 11, 2)
    running = notice(DAY, status=status, outcome=None, closed_on=None, last_day=last_day)

    (fault,) = faults(accepted(), Move.IDENTIFY, early, notice=running)

    assert (fault.code, fault.where) == ("notice_not_closed", "#/decided_on")
    assert says in fault.message


def test_an_identification_is_of_the_category_that_was_announced() -> None:
    announced = notice(DAY, category=Category.TEKUN)

    assert broken(accepted(), Move.IDENTIFY, DAY, notice=announced) == [
        "notice_for_another_category"
    ]
    tekun = {"category": Category.TEKUN, "notice": announced}
    assert broken(accepted(), Move.IDENTIFY, DAY, **tekun) == []
    assert broken(identified(), Move.LIFT, DAY, notice=announced) == []


@pytest.mark.parametrize(
    ("measures", "codes"),
    [
        (set(), ["cause_unanswered"]),
        ({MeasureKind.HOUSING}, ["cause_unanswered"]),
        ({MeasureKind.HEALTH}, ["cause_unanswered"]),
        ({MeasureKind.HEALTH, MeasureKind.HOUSING}, []),
    ],
)
def test_nobody_is_lifted_before_every_cause_was_answered(
    measures: set[MeasureKind], codes: list[str]
) -> None:
    file = identified(causes=(Cause.ILLNESS, Cause.HOUSING))
    assert broken(file, Move.LIFT, DAY, measures=frozenset(measures)) == codes


@pytest.mark.parametrize("changed", [{"n": 2}, {"announced_in": "331124002222"}])
@pytest.mark.parametrize(
    ("file", "move"),
    [(accepted(), Move.IDENTIFY), (identified(), Move.LIFT), (identified(), Move.EXIT)],
)
def test_what_changed_since_it_was_announced_is_announced_anew(
    file: Facts, move: Move, changed: dict[str, Any]
) -> None:
    assert broken(file, move, DAY, notice=notice(DAY, **changed)) == ["notice_outdated"]


@pytest.mark.parametrize(
    ("checks", "codes"),
    [
        ([], ["income_checks_missing"]),
        ([check(date(2026, 4, 20))], ["income_checks_missing"]),
        (
            [check(date(2026, 4, 20)), check(date(2026, 10, 19), at=22)],
            ["income_checks_missing"],
        ),
        ([check(date(2026, 4, 20)), check(date(2026, 10, 20), at=22)], []),
        (
            [check(date(2026, 4, 20)), check(date(2026, 10, 20), passed=False, at=22)],
            ["income_check_failed", "income_checks_missing"],
        ),
        (
            [
                check(date(2026, 4, 20)),
                check(date(2026, 7, 1), passed=False, at=22),
                check(date(2026, 10, 20), at=23),
            ],
            ["income_checks_missing"],
        ),
        (
            [
                check(date(2026, 3, 20), passed=False),
                check(date(2026, 4, 20), at=22),
                check(date(2026, 10, 20), at=23),
            ],
            [],
        ),
    ],
)
def test_a_lift_takes_two_checks_half_a_year_apart(
    checks: list[PastCheck], codes: list[str]
) -> None:
    assert broken(identified(), Move.LIFT, DAY, checks=checks) == codes


def test_who_made_a_check_that_the_lift_rests_on_does_not_decide() -> None:
    first, second = two_checks(DAY)
    again = check(DAY, at=23)

    def decided_by(officer_id: str, *checks: PastCheck) -> list[str]:
        return broken(identified(), Move.LIFT, DAY, checks=checks, officer_id=officer_id)

    assert decided_by(SURVEYOR, first, second) == ["same_officer"]
    assert decided_by(SURVEYOR, replace(first, officer_id="o2"), second) == ["same_officer"]
    assert decided_by("o2", replace(first, officer_id="o2"), second) == ["same_officer"]
    assert decided_by("o2", first, second) == []
    assert decided_by("o2", first, second, replace(again, officer_id="o2")) == ["same_officer"]


@pytest.mark.parametrize(
    ("posted_on", "codes"),
    [(date(2026, 10, 25), ["notice_before_check"]), (date(2026, 10, 26), [])],
)
def test_a_lift_is_announced_after_its_second_check(posted_on: date, codes: list[str]) -> None:
    announced = notice(DAY, posted_on=posted_on)
    checks = [check(date(2026, 4, 26)), check(date(2026, 10, 26), at=22)]

    assert broken(identified(), Move.LIFT, DAY, notice=announced, checks=checks) == codes


def test_without_the_parameter_no_lift_is_judged() -> None:
    (fault,) = faults(identified(), Move.LIFT, DAY, months_between=None)

    assert (fault.code, fault.where) == ("parameter_missing", "lift.months_between_checks")


@pytest.mark.parametrize("state", [State.LIFTED, State.EXITED])
@pytest.mark.parametrize(
    ("open_checks", "named", "codes"),
    [
        ([], None, []),
        ([], UUID(int=31), ["return_check_unknown"]),
        ([UUID(int=31)], None, ["return_check_unnamed"]),
        ([UUID(int=31)], UUID(int=31), []),
        ([UUID(int=31), UUID(int=32)], UUID(int=32), []),
        ([UUID(int=31)], UUID(int=32), ["return_check_unknown"]),
    ],
)
def test_a_return_names_the_check_it_rests_on(
    state: State, open_checks: list[UUID], named: UUID | None, codes: list[str]
) -> None:
    asked = {"return_checks": open_checks, "return_check_id": named}

    assert broken(FILES[state](), Move.RETURN, date(2026, 9, 1), **asked) == codes


def test_a_decision_keeps_the_papers_it_rests_on() -> None:
    ruling = Ruling(move=Move.LIFT, decided_on=DAY)
    around = Circumstances(
        today=TODAY,
        officer_id="o1",
        opened_on=OPENED,
        newest_entry=OPENED,
        notice=notice(DAY),
        guarantees=ALL_MET,
        checks=two_checks(DAY),
        months_between=Decimal(6),
    )

    stored = [check.stored() for check in rules.judge(identified(), ruling, around)]

    rests = {each["code"]: each["rests_on"] for each in stored if "rests_on" in each}
    assert rests == {
        "income_checks_missing": [str(UUID(int=21)), str(UUID(int=22))],
        "notice_missing": [str(UUID(int=11))],
    }
