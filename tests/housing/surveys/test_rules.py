"""C8, C27, C29 as tables of cases: files, hardship, the guarantee, moving out."""

from datetime import date
from itertools import product

import pytest

from services.housing.surveys.rules import (
    FileStep,
    Known,
    Report,
    file_step,
    grade_changed,
    is_hardship,
    lives_safely,
    move_faults,
)
from shared.contracts.registry import HouseGrade, State

A, B, C, D = HouseGrade
ON, LIFTED, EXITED, CLOSED = State.IDENTIFIED, State.LIFTED, State.EXITED, State.CLOSED
NEVER = None


def known(grade: HouseGrade | None, *, renovated: bool = False) -> Known:
    return Known(grade=grade, renovated=renovated)


@pytest.mark.parametrize(
    ("state", "grade", "before", "open_grade", "step"),
    [
        # a dangerous house of a household on assistance has a file
        (ON, C, NEVER, None, FileStep.OPEN),
        (ON, D, NEVER, None, FileStep.OPEN),
        (ON, B, NEVER, None, FileStep.NOTHING),
        (ON, None, NEVER, None, FileStep.NOTHING),
        (ON, C, known(C), None, FileStep.OPEN),
        (ON, C, known(B), None, FileStep.OPEN),
        (State.RETURNED, C, known(C), None, FileStep.OPEN),
        # of one lifted, exited or not yet identified: where it has newly become D
        (LIFTED, D, known(B), None, FileStep.OPEN),
        (EXITED, D, known(None), None, FileStep.OPEN),
        (LIFTED, D, known(D), None, FileStep.NOTHING),
        (LIFTED, D, NEVER, None, FileStep.NOTHING),
        (LIFTED, C, known(B), None, FileStep.NOTHING),
        (State.ACCEPTED, C, NEVER, None, FileStep.NOTHING),
        # at most one is open
        (ON, C, known(C), C, FileStep.NOTHING),
        (ON, D, known(C), C, FileStep.REGRADE),
        (ON, C, known(D), D, FileStep.REGRADE),
        (LIFTED, D, known(C), C, FileStep.REGRADE),
        # the officer corrected the grade
        (ON, A, known(C), C, FileStep.CLOSE_CORRECTED),
        (LIFTED, B, known(D), D, FileStep.CLOSE_CORRECTED),
        (ON, A, known(C), None, FileStep.NOTHING),
        # nobody knows: the file stays, and the same grade again is news of it
        (ON, None, known(D), D, FileStep.NOTHING),
        (ON, D, known(None), D, FileStep.REGRADE),
        # nobody lives there any more
        (CLOSED, D, known(D), D, FileStep.CLOSE_HOUSEHOLD),
        (CLOSED, D, known(D), None, FileStep.NOTHING),
        (CLOSED, D, known(B), None, FileStep.NOTHING),
        # a renovation was accepted since the grade was reported
        (ON, D, known(D, renovated=True), None, FileStep.NOTHING),
        (State.RETURNED, C, known(C, renovated=True), None, FileStep.NOTHING),
        (ON, D, known(C, renovated=True), None, FileStep.OPEN),
        (ON, C, known(D, renovated=True), None, FileStep.OPEN),
    ],
)
def test_what_becomes_of_a_file(
    state: State,
    grade: HouseGrade | None,
    before: Known | None,
    open_grade: HouseGrade | None,
    step: FileStep,
) -> None:
    assert file_step(Report(state=state, grade=grade), before, open_grade) is step


@pytest.mark.parametrize(
    ("state", "grade", "before", "sign"),
    [
        (ON, D, known(A), True),
        (ON, D, known(B), True),
        (ON, D, known(C), True),
        (LIFTED, D, known(None), True),
        (ON, D, known(C, renovated=True), True),
        (ON, D, known(D), False),
        (ON, D, known(D, renovated=True), False),
        (ON, D, NEVER, False),
        (ON, C, known(B), False),
        (ON, None, known(B), False),
        (CLOSED, D, known(B), False),
    ],
)
def test_a_new_d_is_a_sign_of_hardship(
    state: State, grade: HouseGrade | None, before: Known | None, sign: bool
) -> None:
    assert is_hardship(Report(state=state, grade=grade), before) is sign


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [(known(C), C, False), (known(C), D, True), (NEVER, D, False), (known(None), None, False)],
)
def test_only_a_change_of_the_registry_s_grade_is_news(
    before: Known | None, now: HouseGrade | None, changed: bool
) -> None:
    assert grade_changed(Report(state=ON, grade=now), before) is changed


@pytest.mark.parametrize(
    ("grade", "occupied", "renovated", "safe"),
    [
        (A, True, False, True),
        (B, True, False, True),
        (C, True, False, False),
        (D, True, False, False),
        (None, True, False, None),
        (C, True, True, True),
        (D, True, True, True),
        (D, False, False, True),
        (None, False, False, True),
    ],
)
def test_who_lives_safely(
    grade: HouseGrade | None, occupied: bool, renovated: bool, safe: bool | None
) -> None:
    assert lives_safely(grade, occupied=occupied, renovated=renovated) is safe


MAY_5 = date(2026, 5, 5)


@pytest.mark.parametrize(
    ("on", "today", "last_move", "codes"),
    [
        (MAY_5, MAY_5, None, []),
        (MAY_5, MAY_5, MAY_5, []),
        (date(2026, 5, 6), MAY_5, None, ["date_in_future"]),
        (date(2026, 5, 4), MAY_5, MAY_5, ["date_before_last_move"]),
        (date(2026, 5, 6), MAY_5, date(2026, 5, 7), ["date_in_future", "date_before_last_move"]),
    ],
)
def test_days_of_moving(on: date, today: date, last_move: date | None, codes: list[str]) -> None:
    found = move_faults(on=on, today=today, last_move=last_move)
    assert [fault.code for fault in found] == codes


def test_whatever_is_reported_twice_says_nothing_the_second_time() -> None:
    """After any step the same report again neither opens, closes nor signals anything."""
    for state, grade, before in product(
        State, (*HouseGrade, None), (NEVER, *map(known, (A, C, D)))
    ):
        report = Report(state=state, grade=grade)
        step = file_step(report, before, None)
        opened = grade if step is FileStep.OPEN else None
        assert file_step(report, known(grade), opened) is FileStep.NOTHING, report
        assert not is_hardship(report, known(grade))
