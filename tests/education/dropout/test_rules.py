"""The steps of dropout control by days absent, and what closes a case (C33, ZJE 13)."""

from datetime import date, timedelta

import pytest

from services.education.dropout.rules import (
    Outcome,
    Step,
    closing_faults,
    days_absent,
    due_step,
    opening_faults,
)

SINCE = date(2026, 10, 1)
DAYS = {Step.CALL: 3, Step.VISIT: 7, Step.TOWNSHIP: 14, Step.COUNTY: 30}


@pytest.mark.parametrize(
    ("days", "step", "since"),
    [
        (0, None, None),
        (2, None, None),
        (3, Step.CALL, 3),
        (6, Step.CALL, 3),
        (7, Step.VISIT, 7),
        (13, Step.VISIT, 7),
        (14, Step.TOWNSHIP, 14),
        (29, Step.TOWNSHIP, 14),
        (30, Step.COUNTY, 30),
        (400, Step.COUNTY, 30),
    ],
)
def test_the_step_by_full_days_absent(days: int, step: Step | None, since: int | None) -> None:
    on = SINCE + timedelta(days=days)
    assert days_absent(SINCE, on) == days
    due = due_step(SINCE, on, DAYS)
    if step is None or since is None:
        assert due is None
    else:
        assert due is not None
        assert (due.step, due.since) == (step, SINCE + timedelta(days=since))


def test_a_step_without_its_parameter_is_passed_over() -> None:
    due = due_step(SINCE, SINCE + timedelta(days=10), {Step.CALL: 3, Step.COUNTY: 30})
    assert due is not None
    assert due.step is Step.CALL
    assert due_step(SINCE, SINCE + timedelta(days=99), {}) is None


@pytest.mark.parametrize(
    ("since", "code"),
    [
        (date(2026, 11, 24), None),
        (date(2026, 11, 25), "absent_since_in_future"),
        (date(2016, 1, 1), None),
        (date(2015, 12, 31), "absent_since_before_birth"),
    ],
)
def test_the_day_of_a_report(since: date, code: str | None) -> None:
    faults = opening_faults(since, date(2016, 1, 1), date(2026, 11, 24))
    assert [fault.code for fault in faults] == ([code] if code else [])


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_but_an_error_needs_its_proof(outcome: Outcome) -> None:
    faults = closing_faults(
        outcome, None, closed_on=SINCE, absent_since=SINCE, today=date(2026, 11, 24)
    )
    needed = outcome is not Outcome.REPORTED_IN_ERROR
    assert [fault.code for fault in faults] == (["proof_missing"] if needed else [])
    assert not closing_faults(
        outcome, "x", closed_on=SINCE, absent_since=SINCE, today=date(2026, 11, 24)
    )


@pytest.mark.parametrize(
    ("closed_on", "right"),
    [
        (SINCE, True),
        (SINCE - timedelta(days=1), False),
        (date(2026, 11, 24), True),
        (date(2026, 11, 25), False),
    ],
)
def test_the_day_of_closing(closed_on: date, right: bool) -> None:
    faults = closing_faults(
        Outcome.ABROAD,
        None,
        closed_on=closed_on,
        absent_since=SINCE,
        today=date(2026, 11, 24),
    )
    assert [fault.code for fault in faults] == (
        ["proof_missing"] if right else ["proof_missing", "closed_on_impossible"]
    ), "every fault is listed"
