"""One file for life: what opens it, moves it, closes it and opens it again (C34)."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.education.students.files import (
    ENROLMENT,
    File,
    FileState,
    Home,
    Statement,
    entry_of,
    follow,
    home_of,
    stage_of,
    still_holds,
)
from shared.contracts.registry import SchoolStage, State

PERSON, HOUSE, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
NOT, PRIMARY, JUNIOR = SchoolStage.NOT_AT_SCHOOL, SchoolStage.PRIMARY, SchoolStage.JUNIOR
TODAY = date(2026, 11, 24)


def home(**facts: Any) -> Home:
    known: dict[str, Any] = {
        "person_id": PERSON,
        "household_id": HOUSE,
        "division_code": "331124100201",
        "state": State.IDENTIFIED,
        "effective_from": date(2026, 9, 1),
        "birth_date": date(2015, 1, 1),
        "education": None,
        "stage": PRIMARY,
        "left_behind": None,
        "counted": True,
        "version": 1,
    }
    return Home(**(known | facts))


def statement(kind: str = ENROLMENT, **facts: Any) -> Statement:
    known: dict[str, Any] = {
        "statement_id": UUID(int=9),
        "person_id": PERSON,
        "kind": kind,
        "stage": PRIMARY if kind == ENROLMENT else None,
        "from_day": date(2026, 10, 8),
        "school_code": "2133001234" if kind == ENROLMENT else None,
        "registry_stage": NOT,
        "division_code": "331124100201",
    }
    return Statement(**(known | facts))


def file(**facts: Any) -> File:
    opened = follow(None, home(), None)
    assert opened is not None
    return replace(opened, **facts)


@pytest.mark.parametrize("stage", [each for each in SchoolStage if each is not NOT])
def test_a_member_at_school_of_a_household_on_assistance_gets_a_file(stage: SchoolStage) -> None:
    opened = follow(None, home(stage=stage), None)
    assert opened is not None
    assert (opened.stage, opened.state) == (stage, FileState.ENROLLED)


@pytest.mark.parametrize(
    "facts",
    [
        {"stage": NOT},
        {"stage": None},
        {"state": State.ACCEPTED},
        {"state": State.LIFTED},
        {"state": State.EXITED},
    ],
)
def test_nobody_else_gets_one(facts: dict[str, Any]) -> None:
    assert follow(None, home(**facts), None) is None
    assert follow(None, None, None) is None


@pytest.mark.parametrize("state", [State.LIFTED, State.EXITED, State.RETURNED, State.IDENTIFIED])
def test_a_file_goes_on_in_every_state_of_its_household(state: State) -> None:
    after = follow(file(), home(state=state, stage=JUNIOR), None)
    assert after == file(stage=JUNIOR)


def test_no_longer_at_school_closes_it_and_school_again_opens_it() -> None:
    left = follow(file(), home(stage=NOT), None)
    assert left == file(state=FileState.LEFT)
    assert follow(left, home(stage=JUNIOR), None) == file(stage=JUNIOR)
    assert follow(file(), None, None) == file(state=FileState.LEFT), "of no household any more"


def test_a_stage_not_said_any_more_is_not_judged() -> None:
    assert follow(file(), home(stage=None), None) == file(stage_known=False)
    left = file(state=FileState.LEFT)
    assert follow(left, home(stage=None), None) == replace(left, stage_known=False)


def test_a_school_s_enrolment_opens_a_file_and_the_registry_ends_it() -> None:
    told = statement()
    opened = follow(None, home(stage=NOT), told)
    assert opened == file(school_code="2133001234")
    assert still_holds(told, home(stage=NOT, version=7)), "the same word again is nothing new"
    assert not still_holds(told, home(stage=PRIMARY))
    assert not still_holds(told, home(stage=None))


@pytest.mark.parametrize(
    ("kind", "stage"),
    [
        ("dead", NOT),
        ("abroad", NOT),
        ("long_illness", JUNIOR),
        ("special_school", JUNIOR),
        ("back_at_school", JUNIOR),
    ],
)
def test_what_a_case_s_outcome_makes_of_the_stage(kind: str, stage: SchoolStage) -> None:
    assert stage_of(home(stage=JUNIOR), statement(kind)) is stage


def test_of_two_households_the_one_on_assistance_then_the_later_one_counts() -> None:
    here, there = home(), home(household_id=OTHER)
    assert home_of([here, there]) == there, "the later household"
    assert home_of([here, replace(there, state=State.EXITED)]) == here
    assert home_of([replace(here, effective_from=date(2026, 10, 1)), there]) == replace(
        here, effective_from=date(2026, 10, 1)
    )
    assert home_of([here, replace(there, state=State.CLOSED)]) == here
    assert home_of([replace(there, state=State.CLOSED)]) is None


def test_lines_of_the_history() -> None:
    assert entry_of(None, file(), home(), None, TODAY) == (date(2026, 9, 1), PRIMARY)
    assert entry_of(file(), file(), home(), None, TODAY) is None
    assert entry_of(file(), file(division_code="331102"), home(), None, TODAY) is None
    assert entry_of(file(), file(stage=JUNIOR), home(), None, TODAY) == (date(2026, 9, 1), JUNIOR)
    left = file(state=FileState.LEFT)
    assert entry_of(file(), left, None, None, TODAY) == (TODAY, NOT)
    assert entry_of(file(), left, home(), None, TODAY) == (date(2026, 9, 1), NOT)
    assert entry_of(left, file(), home(), statement(), TODAY) == (date(2026, 10, 8), PRIMARY)
    moved = file(household_id=OTHER)
    assert entry_of(file(), moved, home(), statement(), TODAY) == (date(2026, 9, 1), PRIMARY)
