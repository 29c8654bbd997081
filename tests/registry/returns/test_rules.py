"""Which signs open a return check, until when, and what ends one."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.registry.households.facts import Facts
from services.registry.returns.rules import (
    Dismissal,
    ReportedKind,
    Sign,
    dismissal_faults,
    opens_check,
    sign_faults,
)
from shared.contracts.registry import State

TODAY = date(2026, 6, 10)


@pytest.mark.parametrize("state", State)
def test_a_sign_asks_for_a_visit_where_nobody_looks_any_more(state: State) -> None:
    assert opens_check(state) is (state in {State.LIFTED, State.EXITED})


def facts(state: State) -> Facts:
    return Facts(state=state, division_code="331124002221", head_person_id=UUID(int=1))


@pytest.mark.parametrize(
    ("state", "given", "codes"),
    [
        (State.LIFTED, {}, []),
        (State.ACCEPTED, {}, []),
        (State.CLOSED, {}, ["household_closed"]),
        (State.LIFTED, {"detected_on": date(2026, 6, 11)}, ["date_in_future"]),
        (State.LIFTED, {"kind": ReportedKind.OTHER}, ["note_missing"]),
        (State.LIFTED, {"kind": ReportedKind.OTHER, "note": "走失"}, []),
    ],
)
def test_what_a_township_may_report(state: State, given: dict[str, Any], codes: list[str]) -> None:
    known: dict[str, Any] = {"kind": ReportedKind.ILLNESS, "detected_on": TODAY}
    found = sign_faults(facts(state), Sign(**(known | given)), today=TODAY)

    assert [fault.code for fault in found] == codes


@pytest.mark.parametrize(
    ("visited_on", "reason", "officer_id", "codes"),
    [
        (date(2026, 6, 5), "已报销", "o1", []),
        (TODAY, "已报销", "o1", []),
        (date(2026, 6, 4), "已报销", "o1", ["visit_before_sign"]),
        (date(2026, 6, 11), "已报销", "o1", ["date_in_future"]),
        (TODAY, " ", "o1", ["reason_missing"]),
        (date(2026, 6, 4), "", None, ["officer_missing", "visit_before_sign", "reason_missing"]),
    ],
)
def test_a_dismissal_takes_a_visit_and_a_reason(
    visited_on: date, reason: str, officer_id: str | None, codes: list[str]
) -> None:
    dismissal = Dismissal(return_check_id=UUID(int=1), reason=reason, visited_on=visited_on)

    found = dismissal_faults(
        dismissal, detected_on=date(2026, 6, 5), officer_id=officer_id, today=TODAY
    )

    assert [fault.code for fault in found] == codes
