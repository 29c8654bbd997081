"""What a report, a visit, a dismissal and an acceptance need; both sides of every boundary."""

from datetime import date
from typing import Any

import pytest

from services.registry.leads.rules import (
    Report,
    Subject,
    Visit,
    acceptance_faults,
    dismissal_faults,
    household_faults,
    opens_lead,
    place_faults,
    report_faults,
    reportable_faults,
    service_of,
    transfer_faults,
    visit_faults,
)
from shared.contracts.leads import LeadSource, LeadState
from shared.contracts.registry import State
from shared.errors import Fault
from shared.identity import new_id
from tests.support.builders import id_number

TODAY = date(2026, 3, 20)
HERE, THERE = new_id(), new_id()
SOMEBODY = Subject(division_code="331124002221", name="张三")


def codes(faults: list[Fault]) -> list[str]:
    return [each.code for each in faults]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"reported_on": TODAY}, []),
        ({"reported_on": date(2026, 3, 21)}, ["date_in_future"]),
        ({"words": " \n"}, ["text_missing"]),
        ({"household_id": HERE, "subject": None}, []),
        ({"household_id": HERE}, ["subject_missing"]),
        ({"subject": None}, ["subject_missing"]),
        ({"subject": Subject(division_code="331124", phone="12")}, ["phone_invalid"]),
        (
            {"subject": Subject(division_code="331124", id_number="331102199003070017")},
            ["id_number_checksum"],
        ),
        (
            {"subject": Subject(division_code="331124", id_number=id_number(born=TODAY))},
            ["id_number_future_birth"],
        ),
    ],
)
def test_a_report_is_of_a_household_or_of_a_person(
    given: dict[str, Any], expected: list[str]
) -> None:
    known: dict[str, Any] = {
        "source": LeadSource.GRID_WORKER,
        "reported_on": date(2026, 3, 19),
        "words": "家中失火",
        "subject": SOMEBODY,
    }
    assert codes(report_faults(Report(**(known | given)), today=TODAY)) == expected


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("county", []),
        ("township", []),
        ("village", []),
        ("city", ["division_unknown"]),
        (None, ["division_unknown"]),
    ],
)
def test_a_lead_lies_in_a_county_or_inside_one(level: Any, expected: list[str]) -> None:
    assert codes(place_faults(level, "division_code")) == expected


@pytest.mark.parametrize("state", State)
def test_hardship_opens_a_lead_at_a_household_never_identified(state: State) -> None:
    assert opens_lead(state) == (state is State.ACCEPTED)
    closed = ["household_closed"] if state is State.CLOSED else []
    assert codes(reportable_faults(state)) == closed


@pytest.mark.parametrize(
    ("given", "officer_id", "expected"),
    [
        ({}, "o1", []),
        ({"visited_on": date(2026, 3, 10)}, "o1", []),
        ({"visited_on": date(2026, 3, 9)}, "o1", ["visit_before_report"]),
        ({"visited_on": TODAY}, "o1", []),
        ({"visited_on": date(2026, 3, 21)}, "o1", ["date_in_future"]),
        ({"findings": " "}, "o1", ["findings_missing"]),
        ({}, None, ["officer_missing"]),
    ],
)
def test_a_visit_is_an_officers_after_the_report(
    given: dict[str, Any], officer_id: str | None, expected: list[str]
) -> None:
    known: dict[str, Any] = {"visited_on": date(2026, 3, 15), "findings": "一人独居"}
    made = Visit(**(known | given))
    found = visit_faults(
        made, first_reported_on=date(2026, 3, 10), officer_id=officer_id, today=TODAY
    )
    assert codes(found) == expected


@pytest.mark.parametrize(
    ("state", "reason", "officer_id", "expected"),
    [
        (LeadState.VISITED, "子女已接走赡养", "o1", []),
        (LeadState.OPEN, "子女已接走赡养", "o1", ["visit_missing"]),
        (LeadState.VISITED, "  ", "o1", ["reason_missing"]),
        (LeadState.VISITED, "子女已接走赡养", None, ["officer_missing"]),
        (LeadState.OPEN, "", None, ["officer_missing", "visit_missing", "reason_missing"]),
    ],
)
def test_a_lead_is_dismissed_after_a_visit_with_a_reason(
    state: LeadState, reason: str, officer_id: str | None, expected: list[str]
) -> None:
    assert codes(dismissal_faults(state, reason, officer_id)) == expected


@pytest.mark.parametrize(
    ("state", "household", "expected"),
    [
        (LeadState.VISITED, State.ACCEPTED, []),
        (LeadState.OPEN, State.ACCEPTED, ["visit_missing"]),
        (LeadState.VISITED, State.IDENTIFIED, ["household_on_assistance"]),
        (LeadState.VISITED, State.RETURNED, ["household_on_assistance"]),
        (LeadState.VISITED, State.LIFTED, ["household_may_return"]),
        (LeadState.VISITED, State.EXITED, ["household_may_return"]),
        (LeadState.VISITED, State.CLOSED, ["household_closed"]),
    ],
)
def test_a_lead_becomes_the_application_of_a_household_not_identified(
    state: LeadState, household: State, expected: list[str]
) -> None:
    assert codes(acceptance_faults(state, household, "o1")) == expected
    assert codes(acceptance_faults(state, household, None)) == ["officer_missing", *expected]


@pytest.mark.parametrize(
    ("of_lead", "named", "expected"),
    [
        (HERE, None, []),
        (HERE, HERE, []),
        (None, HERE, []),
        (HERE, THERE, ["household_differs"]),
        (None, None, ["household_missing"]),
    ],
)
def test_an_application_names_its_household_once(
    of_lead: Any, named: Any, expected: list[str]
) -> None:
    assert codes(household_faults(of_lead, named)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"household_id": HERE}, ["lead_follows_household"]),
        ({"there": "331124002"}, ["division_same"]),
        ({"officer_id": None}, ["officer_missing"]),
    ],
)
def test_a_lead_of_nobody_on_file_is_handed_on(given: dict[str, Any], expected: list[str]) -> None:
    known = {"household_id": None, "here": "331124002", "there": "331121001", "officer_id": "o1"}
    assert codes(transfer_faults(**(known | given))) == expected


@pytest.mark.parametrize(
    ("sub", "officer_id", "expected"),
    [
        ("relief", None, "relief"),
        ("relief", "o1", None),
        ("hospital", None, None),
        ("registry", None, None),
    ],
)
def test_a_service_reports_with_a_token_of_its_own(
    sub: str, officer_id: str | None, expected: str | None
) -> None:
    assert service_of(sub, officer_id) == expected
