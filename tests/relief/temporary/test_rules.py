"""How much, decided by whom and on what: both sides of every boundary (R22, R23, R29)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.relief.temporary.rules import (
    Announced,
    Form,
    Kind,
    Level,
    Stage,
    State,
    amount,
    application_faults,
    approval_faults,
    decider_faults,
    factor_faults,
    is_adult,
    opinion_faults,
    payment_faults,
    stage_faults,
)
from shared.contracts.notices import NoticeOutcome
from shared.errors import Fault
from tests.relief.temporary.facts import TODAY, award, case, terms

YESTERDAY = TODAY - timedelta(days=1)
POSTED = Announced(
    factor=Decimal(3),
    outcome=NoticeOutcome.UNOPPOSED,
    last_day=YESTERDAY,
    closed_on=TODAY,
)
ORDINARY = case(
    kind=Kind.EXPENDITURE,
    state=State.ON_NOTICE,
    checked_by=frozenset({"o2"}),
    opinion_by="o3",
    announced=POSTED,
)


def codes(faults: list[Fault]) -> list[str]:
    return [fault.code for fault in faults]


def approved(of: Any, given: Any, **changes: Any) -> list[str]:
    known: dict[str, Any] = {"level": Level.COUNTY, "officer": "o9", "today": TODAY} | changes
    return codes(approval_faults(of, given, known.pop("terms", terms()), **known))


@pytest.mark.parametrize(
    ("line", "factor", "persons", "expected"),
    [
        ("600", "3", 4, "7200.00"),
        ("600", "6", 4, "14400.00"),
        ("600", "12", 4, "28800.00"),
        ("1150", "0.01", 1, "11.50"),
        ("833.33", "0.5", 1, "416.67"),
        ("600.01", "1.25", 3, "2250.04"),
    ],
)
def test_the_sum_is_line_times_factor_times_persons(
    line: str, factor: str, persons: int, expected: str
) -> None:
    assert str(amount(Decimal(line), Decimal(factor), persons)) == expected


@pytest.mark.parametrize(
    ("factor", "hard_reason", "expected"),
    [
        ("0.00", None, ["factor_not_positive"]),
        ("-1", "双残", ["factor_not_positive"]),
        ("0.01", None, []),
        ("6.00", None, []),
        ("6.01", None, ["factor_over_max"]),
        ("12.00", None, ["factor_over_max"]),
        ("12.01", None, ["factor_over_special"]),
        ("6.01", "全家重病", []),
        ("12.00", "全家重病", []),
        ("12.01", "全家重病", ["factor_over_special"]),
        ("6.01", "  ", ["hard_reason_missing"]),
        ("3.00", "", ["hard_reason_missing"]),
    ],
)
def test_a_factor_is_at_most_six_and_twelve_of_a_specially_hard_case(
    factor: str, hard_reason: str | None, expected: list[str]
) -> None:
    assert codes(factor_faults(Decimal(factor), hard_reason, terms())) == expected


def test_a_county_that_sets_less_is_held_to_it() -> None:
    assert codes(factor_faults(Decimal("4.00"), None, terms(factor_max="4"))) == []
    assert codes(factor_faults(Decimal("4.01"), None, terms(factor_max="4"))) == ["factor_over_max"]


@pytest.mark.parametrize(
    ("line", "factor", "amounts", "expected"),
    [
        ("2000.00", "1", ["2000.00"], []),
        ("2000.01", "1", ["2000.01"], ["over_township_limit"]),
        ("400", "5", ["1999.99"], ["stages_do_not_add_up"]),
    ],
)
def test_a_township_decides_up_to_its_limit(
    line: str, factor: str, amounts: list[str], expected: list[str]
) -> None:
    found = approved(case(), award(factor, *amounts), terms=terms(line=line), level=Level.TOWNSHIP)
    assert found == expected


def test_above_the_limit_the_county_decides_at_once() -> None:
    assert approved(case(), award("6", "3600.00")) == []


def test_an_ordinary_case_is_never_the_township_s() -> None:
    found = approved(ORDINARY, award("3", "1800.00"), level=Level.TOWNSHIP)
    assert found == ["decided_by_county"]


@pytest.mark.parametrize(
    ("officer", "expected"),
    [
        ("o1", ["same_officer"]),
        ("o2", ["surveyor_decides"]),
        ("o3", ["same_officer"]),
        ("o4", []),
    ],
)
def test_who_entered_checked_or_gave_the_opinion_does_not_decide(
    officer: str, expected: list[str]
) -> None:
    assert approved(ORDINARY, award("3", "1800.00"), officer=officer) == expected
    assert codes(decider_faults(ORDINARY, level=Level.COUNTY, officer=officer)) == expected


NOTICES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"outcome": NoticeOutcome.OBJECTIONS_DISMISSED}, []),
    ({"outcome": None, "closed_on": None}, ["notice_running"]),
    ({"outcome": NoticeOutcome.OBJECTION_UPHELD}, ["notice_failed"]),
    ({"outcome": NoticeOutcome.WITHDRAWN}, ["notice_failed"]),
    ({"outcome": NoticeOutcome.REFUSED, "last_day": None}, ["notice_failed"]),
    ({"last_day": TODAY}, ["notice_running"]),
    ({"closed_on": TODAY + timedelta(days=1)}, ["notice_running"]),
    ({"factor": Decimal("2.99")}, ["factor_over_announced"]),
    ({"factor": Decimal("3.00")}, []),
]


@pytest.mark.parametrize(("changes", "expected"), NOTICES)
def test_an_ordinary_case_waits_for_its_notice(
    changes: dict[str, Any], expected: list[str]
) -> None:
    of = replace(ORDINARY, announced=replace(POSTED, **changes))
    assert approved(of, award("3", "1800.00")) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"opinion_by": None, "announced": None, "state": State.ACCEPTED}, ["opinion_missing"]),
        ({"announced": None, "state": State.OPINED}, ["notice_missing"]),
        ({"state": State.OPINED}, ["notice_missing"]),
        ({"state": State.APPROVED}, ["application_decided"]),
        ({"state": State.REFUSED}, ["application_decided"]),
    ],
)
def test_an_ordinary_case_needs_an_opinion_for_it(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert approved(replace(ORDINARY, **changes), award("3", "1800.00")) == expected


@pytest.mark.parametrize(
    ("given_this_year", "per_year", "signed_by", "expected"),
    [
        (0, "1", (), []),
        (1, "1", (), ["year_exhausted"]),
        (1, "2", (), []),
        (2, "2", (), ["year_exhausted"]),
        (1, "1", ("o5",), []),
        (1, "1", ("o9",), ["year_exhausted"]),
        (1, "1", ("o9", "o5"), []),
    ],
)
def test_once_a_year_and_again_by_the_signature_of_another_officer(
    given_this_year: int, per_year: str, signed_by: tuple[str, ...], expected: list[str]
) -> None:
    of = case(given_this_year=given_this_year, repeat_signed_by=frozenset(signed_by))
    assert approved(of, award("1", "600.00"), terms=terms(per_year=per_year)) == expected


def test_every_fault_is_told_at_once() -> None:
    stage = Stage(form=Form.GOODS, amount=Decimal("0.00"), due_on=YESTERDAY)
    of = case(given_this_year=1, checked_by=frozenset({"o9"}))
    found = approved(of, replace(award("7"), stages=[stage]), level=Level.TOWNSHIP)
    assert found == [
        "factor_over_max",
        "amount_not_positive",
        "due_in_the_past",
        "goods_unnamed",
        "stages_do_not_add_up",
        "surveyor_decides",
        "over_township_limit",
        "year_exhausted",
    ]


@given(
    st.decimals("0.01", "28800", places=2),
    st.lists(st.decimals("0.01", "9999", places=2), min_size=1, max_size=24),
)
def test_stages_pass_exactly_when_they_add_up(total: Decimal, amounts: list[Decimal]) -> None:
    stages = [Stage(form=Form.CASH, amount=each, due_on=TODAY) for each in amounts]
    come_to = sum(amounts, Decimal(0))
    assert stage_faults(stages, come_to, TODAY) == []
    expected = [] if come_to == total else ["stages_do_not_add_up"]
    assert codes(stage_faults(stages, total, TODAY)) == expected


@pytest.mark.parametrize(
    ("officer", "paid_on", "expected"),
    [
        ("o2", TODAY, []),
        ("o2", YESTERDAY, []),
        ("o2", YESTERDAY - timedelta(days=1), ["paid_on_impossible"]),
        ("o2", TODAY + timedelta(days=1), ["paid_on_impossible"]),
        ("o1", TODAY, ["same_officer"]),
    ],
)
def test_a_stage_is_paid_by_another_officer_since_its_approval(
    officer: str, paid_on: date, expected: list[str]
) -> None:
    faults = payment_faults(
        approved_by="o1", approved_on=YESTERDAY, officer=officer, paid_on=paid_on, today=TODAY
    )
    assert codes(faults) == expected


OPINIONS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {}, []),
    ({}, {"favourable": False, "factor": None}, []),
    ({}, {"factor": None}, ["factor_missing"]),
    ({}, {"words": " "}, ["words_missing"]),
    ({}, {"officer": "o2"}, ["same_officer"]),
    ({}, {"officer": "o1"}, ["same_officer"]),
    ({"checked_by": frozenset()}, {}, ["check_missing"]),
    ({"kind": Kind.URGENT}, {}, ["urgent_needs_no_opinion"]),
    ({"state": State.APPROVED}, {}, ["application_decided"]),
    ({"state": State.ON_NOTICE, "announced": POSTED}, {}, ["opinion_on_notice"]),
    (
        {"state": State.ON_NOTICE, "announced": replace(POSTED, outcome=None)},
        {},
        ["opinion_on_notice"],
    ),
    (
        {
            "state": State.ON_NOTICE,
            "announced": replace(POSTED, outcome=NoticeOutcome.OBJECTION_UPHELD),
        },
        {},
        [],
    ),
]


@pytest.mark.parametrize(("facts", "changes", "expected"), OPINIONS)
def test_when_the_township_may_give_its_opinion(
    facts: dict[str, Any], changes: dict[str, Any], expected: list[str]
) -> None:
    of = replace(ORDINARY, **({"state": State.ACCEPTED, "announced": None} | facts))
    known: dict[str, Any] = {
        "favourable": True,
        "factor": Decimal(3),
        "words": "同意",
        "officer": "o3",
    }
    assert codes(opinion_faults(of, **(known | changes))) == expected


ASKED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"happened_on": TODAY + timedelta(days=1)}, ["after_application"]),
    ({"applied_on": TODAY + timedelta(days=1)}, ["in_the_future"]),
    ({"words": "  "}, ["words_missing"]),
    ({"persons": ["a", "b", "a"]}, ["person_twice"]),
    ({"applicant_born": None}, ["birth_date_missing"]),
    ({"applicant_born": date(2008, 5, 20)}, []),
    ({"applicant_born": date(2008, 5, 21)}, ["applicant_minor"]),
]


@pytest.mark.parametrize(("changes", "expected"), ASKED)
def test_what_an_application_must_say(changes: dict[str, Any], expected: list[str]) -> None:
    known: dict[str, Any] = {
        "happened_on": TODAY,
        "applied_on": TODAY,
        "words": "灶间起火",
        "persons": ["a"],
        "applicant_born": date(1980, 1, 1),
        "today": TODAY,
    }
    assert codes(application_faults(**(known | changes))) == expected


def test_who_is_born_on_the_29th_of_february_is_of_age_the_day_after() -> None:
    assert not is_adult(date(2008, 2, 29), date(2026, 2, 28))
    assert is_adult(date(2008, 2, 29), date(2026, 3, 1))
