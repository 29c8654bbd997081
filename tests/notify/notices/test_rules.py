"""What becomes of a request, an objection and a notice whose days are over: the rules as tables."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.notices import rules
from services.notify.notices.rules import Refusal, Standing, Step
from shared.contracts.notices import NoticeKind, NoticeOutcome
from shared.contracts.registry import Category
from shared.identity import new_id
from shared.workdays import next_notice_end
from tests.notify.support import NEXT_VILLAGE, request

TODAY = date(2026, 11, 24)
SOMEBODY = new_id()


@pytest.mark.parametrize(
    ("born", "on", "minor"),
    [
        ("2008-11-25", "2026-11-24", True),
        ("2008-11-25", "2026-11-25", False),
        ("2008-11-25", "2026-12-01", False),
        ("2008-12-01", "2026-11-30", True),
        ("2008-02-29", "2026-02-28", True),
        ("2008-02-29", "2026-03-01", False),
        ("2026-11-24", "2026-11-24", True),
        ("1980-05-17", "2026-11-24", False),
    ],
)
def test_of_age_on_the_eighteenth_birthday(born: str, on: str, minor: bool) -> None:
    assert rules.is_minor(date.fromisoformat(born), date.fromisoformat(on)) is minor


@pytest.mark.parametrize(
    ("facts", "known", "refusal"),
    [
        ({}, True, None),
        ({"n": 1}, True, None),
        ({"n": 0}, True, Refusal.MEMBERS_MISSING),
        ({"n": -1}, True, Refusal.MEMBERS_MISSING),
        ({}, False, Refusal.DIVISION_UNKNOWN),
        ({"applicant_person_id": SOMEBODY}, True, Refusal.APPLICANT_AGE_UNKNOWN),
        (
            {"applicant_person_id": SOMEBODY, "applicant_birth_date": date(2008, 11, 25)},
            True,
            Refusal.MINOR_NAMED,
        ),
        (
            {"applicant_person_id": SOMEBODY, "applicant_birth_date": date(2008, 11, 24)},
            True,
            None,
        ),
        # nobody is named, so nobody's age stands in the way
        ({"applicant_birth_date": date(2015, 1, 1)}, True, None),
    ],
)
def test_what_is_not_posted(facts: dict[str, Any], known: bool, refusal: Refusal | None) -> None:
    found = rules.refusal_of(request(**facts), division_known=known, today=TODAY)
    assert found == refusal


def standing(status: str = "posted", **facts: Any) -> Standing:
    """The notice of ASKED, at version 3."""
    known: dict[str, Any] = {"request_version": 3, "content": rules.content_of(ASKED)}
    return Standing(**(known | {"status": status} | facts))


ASKED = request()


@pytest.mark.parametrize(
    "facts",
    [
        {"category": Category.DIBAO_MARGINAL},
        {"n": 4},
        {"amount": Decimal("600.01")},
        {"amount": None},
        {"applicant_person_id": SOMEBODY},
        {"division_code": NEXT_VILLAGE},
        {"kind": NoticeKind.LIFT},
    ],
)
@pytest.mark.parametrize("status", ["waiting", "posted", "objected", "closed"])
def test_other_content_is_posted_anew(facts: dict[str, Any], status: str) -> None:
    changed = ASKED.model_copy(update=facts)
    outcome = NoticeOutcome.UNOPPOSED if status == "closed" else None
    assert rules.step(standing(status, outcome=outcome), changed, 4, None) is Step.POST


@pytest.mark.parametrize(
    ("stood", "facts", "version", "refusal", "expected"),
    [
        (None, {}, 1, None, Step.POST),
        (None, {}, 1, Refusal.MINOR_NAMED, Step.REFUSE),
        (None, {"withdrawn": True}, 1, None, Step.WITHDRAW),
        (standing(), {}, 4, None, Step.NOTHING),
        (standing(), {"amount": Decimal(600)}, 4, None, Step.NOTHING),
        (standing(), {"requested_on": date(2026, 12, 1), "episode": 2}, 4, None, Step.NOTHING),
        (standing(), {"n": 4}, 3, None, Step.NOTHING),
        (standing(), {"n": 4}, 2, None, Step.NOTHING),
        (standing(), {"withdrawn": True}, 3, None, Step.NOTHING),
        (standing(), {"withdrawn": True}, 4, None, Step.WITHDRAW),
        (standing("waiting"), {"withdrawn": True}, 4, None, Step.WITHDRAW),
        (standing("objected"), {"withdrawn": True}, 4, None, Step.WITHDRAW),
        # withdrawn, whatever else it says
        (standing(), {"withdrawn": True}, 4, Refusal.MINOR_NAMED, Step.WITHDRAW),
        (standing(), {"n": 0}, 4, Refusal.MEMBERS_MISSING, Step.REFUSE),
    ],
)
def test_what_a_version_sets_off(
    stood: Standing | None,
    facts: dict[str, Any],
    version: int,
    refusal: Refusal | None,
    expected: Step,
) -> None:
    assert rules.step(stood, ASKED.model_copy(update=facts), version, refusal) is expected


@pytest.mark.parametrize(
    ("outcome", "refusal", "judged", "facts", "expected"),
    [
        (NoticeOutcome.UNOPPOSED, None, None, {}, Step.NOTHING),
        (NoticeOutcome.OBJECTIONS_DISMISSED, None, None, {}, Step.NOTHING),
        (NoticeOutcome.OBJECTION_UPHELD, None, None, {}, Step.NOTHING),
        (NoticeOutcome.OBJECTION_UPHELD, None, None, {"n": 4}, Step.POST),
        (NoticeOutcome.UNOPPOSED, None, None, {"withdrawn": True}, Step.NOTHING),
        (NoticeOutcome.WITHDRAWN, None, None, {}, Step.POST),
        (NoticeOutcome.REFUSED, Refusal.DIVISION_UNKNOWN, None, {}, Step.POST),
        (
            NoticeOutcome.REFUSED,
            Refusal.DIVISION_UNKNOWN,
            Refusal.DIVISION_UNKNOWN,
            {},
            Step.NOTHING,
        ),
        (NoticeOutcome.REFUSED, Refusal.DIVISION_UNKNOWN, Refusal.MINOR_NAMED, {}, Step.REFUSE),
    ],
)
def test_what_a_version_sets_off_after_the_end(
    outcome: NoticeOutcome,
    refusal: Refusal | None,
    judged: Refusal | None,
    facts: dict[str, Any],
    expected: Step,
) -> None:
    closed = standing("closed", outcome=outcome, refusal=refusal)
    assert rules.step(closed, ASKED.model_copy(update=facts), 4, judged) is expected


@given(st.integers(-2, 3))
def test_no_version_that_was_taken_does_anything(version: int) -> None:
    changed = ASKED.model_copy(update={"n": 9})
    for status in ("waiting", "posted", "objected", "closed"):
        for withdrawn in (True, False):
            late = changed.model_copy(update={"withdrawn": withdrawn})
            assert rules.step(standing(status), late, version, None) is Step.NOTHING


@pytest.mark.parametrize(
    ("parameter", "days"),
    [(None, 7), ("7", 7), ("6.99", 7), ("1", 7), ("0", 7), ("7.01", 8), ("10", 10), ("60", 60)],
)
def test_a_notice_runs_for_seven_days_at_least(parameter: str | None, days: int) -> None:
    assert rules.days_of(None if parameter is None else Decimal(parameter)) == days


@given(st.one_of(st.none(), st.decimals(0, 60, places=4)), st.dates(date(2016, 1, 1)))
def test_seven_full_days_lie_between_posting_and_end(parameter: Decimal | None, on: date) -> None:
    """The invariant of C60: whatever the parameter, the posting day not counted."""
    if on.year > 9000:
        on = on.replace(year=9000)
    last_day = next_notice_end(on, rules.days_of(parameter))
    full = [on + timedelta(days=day) for day in range(1, 8)]
    assert not any(rules.is_over(last_day=last_day, to_post=False, today=day) for day in full)
    assert rules.is_over(last_day=last_day, to_post=False, today=last_day + timedelta(days=1))


LAST = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("status", "to_post", "last_day", "today", "code"),
    [
        ("posted", False, LAST, LAST, None),
        ("objected", False, LAST, LAST, None),
        ("posted", False, LAST, LAST - timedelta(days=7), None),
        ("posted", False, LAST, LAST + timedelta(days=1), "notice_period_over"),
        ("objected", False, LAST, LAST + timedelta(days=1), "notice_period_over"),
        # its clock starts again, so its days are not over
        ("posted", True, LAST, LAST + timedelta(days=1), None),
        ("waiting", True, None, LAST, "notice_not_posted"),
        ("closed", False, LAST, LAST, "notice_closed"),
        ("closed", False, None, LAST, "notice_closed"),
    ],
)
def test_when_one_may_object(
    status: str, to_post: bool, last_day: date | None, today: date, code: str | None
) -> None:
    fault = rules.objection_fault(status, to_post=to_post, last_day=last_day, today=today)
    assert (fault and fault[0]) == code


@pytest.mark.parametrize(
    ("status", "answered", "officer", "code"),
    [
        ("objected", False, "o2", None),
        ("objected", False, "o1", "same_officer"),
        ("objected", True, "o2", "objection_answered"),
        ("closed", True, "o2", "objection_answered"),
        ("closed", False, "o2", "notice_closed"),
    ],
)
def test_who_may_answer(status: str, answered: bool, officer: str, code: str | None) -> None:
    fault = rules.answer_fault(status, answered=answered, recorded_by="o1", officer=officer)
    assert (fault and fault[0]) == code


@pytest.mark.parametrize(
    ("last_day", "to_post", "today", "over"),
    [
        (LAST, False, LAST, False),
        (LAST, False, LAST + timedelta(days=1), True),
        (LAST, True, LAST + timedelta(days=1), False),
        (None, True, LAST, False),
    ],
)
def test_when_the_days_are_full(
    last_day: date | None, to_post: bool, today: date, over: bool
) -> None:
    assert rules.is_over(last_day=last_day, to_post=to_post, today=today) is over


def test_how_a_notice_ends_by_its_days() -> None:
    assert rules.outcome_of(0) is NoticeOutcome.UNOPPOSED
    assert rules.outcome_of(2) is NoticeOutcome.OBJECTIONS_DISMISSED
    assert rules.outcome_of(0).allows_decision
    assert rules.outcome_of(1).allows_decision


def test_an_equal_content_written_otherwise_is_the_same() -> None:
    written = rules.content_of(ASKED)
    assert replace(written, amount=Decimal("600.0")) == written
