"""Which measure answers which cause, what a plan must say, who signs it (C53, R35), as tables."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.registry.households.facts import Facts
from services.registry.plans import rules
from services.registry.plans.measures import ANSWERS, MeasureKind, unanswered
from services.registry.plans.rules import Content, Drafted, Measure, Period
from shared.contracts.registry import Category, Cause, State
from tests.registry.lifecycle.judged import accepted, identified

TODAY = date(2026, 11, 25)
ILL = identified(causes=(Cause.ILLNESS, Cause.HOUSING))


def measure(**given: Any) -> Measure:
    known: dict[str, Any] = {
        "kind": MeasureKind.HEALTH,
        "cause": Cause.ILLNESS,
        "bureau": "医保局",
        "officer_id": "m1",
        "budget": Decimal("3000.00"),
        "fund": "县级资金",
        "begins_on": date(2026, 12, 1),
        "due_on": date(2027, 6, 30),
    }
    return Measure(**(known | given))


def content(*measures: Measure, **given: Any) -> Content:
    known: dict[str, Any] = {
        "target_income": Decimal(15000),
        "arable_mu": Decimal("1.20"),
        "forest_mu": Decimal(0),
        "words": "",
        "measures": measures or (measure(),),
    }
    return Content(**(known | given))


def drafted(**given: Any) -> Drafted:
    known: dict[str, Any] = {
        "category": Category.DIBAO,
        "causes": ILL.causes,
        "drafted_by": "t1",
        "drafted_on": date(2026, 11, 20),
        "lead_signed_by": "h1",
        "agreed_on": None,
    }
    return Drafted(**(known | given))


def codes(faults: list[Any]) -> list[str]:
    return [fault.code for fault in faults]


def test_every_cause_has_something_that_answers_it() -> None:
    assert set(ANSWERS) == set(Cause)
    assert all(ANSWERS.values())


@pytest.mark.parametrize(
    ("kinds", "left"),
    [
        (set(), (Cause.ILLNESS, Cause.HOUSING)),
        ({MeasureKind.COMPREHENSIVE}, (Cause.HOUSING,)),
        ({MeasureKind.HOUSING}, (Cause.ILLNESS,)),
        ({MeasureKind.TRAINING}, (Cause.ILLNESS, Cause.HOUSING)),
        ({MeasureKind.HEALTH, MeasureKind.HOUSING}, ()),
    ],
)
def test_a_cause_is_answered_by_its_own_measures(
    kinds: set[MeasureKind], left: tuple[Cause, ...]
) -> None:
    assert unanswered(ILL.causes, kinds) == left


@pytest.mark.parametrize(
    ("facts", "said", "expected"),
    [
        (ILL, content(), []),
        (accepted(causes=ILL.causes), content(), ["household_not_assisted"]),
        (ILL, content(target_income=Decimal("-0.01")), ["amount_negative"]),
        (ILL, content(target_income=Decimal(0)), []),
        (ILL, content(measure(budget=Decimal("-0.01"))), ["amount_negative"]),
        (ILL, content(measure(kind=MeasureKind.HOUSING)), ["measure_answers_not"]),
        (ILL, content(measure(cause=Cause.OLD_AGE)), ["cause_not_on_file", "measure_answers_not"]),
        (ILL, content(measure(due_on=date(2026, 11, 30))), ["due_before_beginning"]),
        (ILL, content(measure(due_on=date(2026, 12, 1))), []),
        (
            ILL,
            content(measure(begins_on=date(2026, 1, 1), due_on=date(2026, 11, 24))),
            ["due_before_beginning"],
        ),
        (ILL, content(measure(begins_on=date(2026, 1, 1), due_on=TODAY)), []),
        (ILL, content(measure(bureau=" ", fund="")), ["text_missing", "text_missing"]),
    ],
)
def test_what_a_plan_says(facts: Facts, said: Content, expected: list[str]) -> None:
    assert codes(rules.content_faults(facts, said, officer_id="t1", today=TODAY)) == expected


def test_a_plan_is_drafted_by_a_person() -> None:
    faults = rules.content_faults(ILL, content(), officer_id=None, today=TODAY)
    assert codes(faults) == ["officer_missing"]


BOTH = (measure(), measure(kind=MeasureKind.HOUSING, cause=Cause.HOUSING))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"officer_id": "t1"}, ["not_the_lead"]),
        ({"lead": None}, ["lead_missing"]),
        ({"measures": BOTH[:1]}, ["cause_unplanned"]),
        ({"agreed_on": date(2026, 11, 26)}, ["date_in_future"]),
        ({"agreed_on": date(2026, 11, 19)}, ["before_draft"]),
        ({"agreed_on": date(2026, 11, 20)}, []),
        ({"drafted": drafted(category=Category.TEKUN)}, ["plan_outdated"]),
        ({"drafted": drafted(causes=[Cause.ILLNESS])}, ["plan_outdated"]),
    ],
)
def test_who_signs_as_lead_helper(given: dict[str, Any], expected: list[str]) -> None:
    known: dict[str, Any] = {
        "lead": "h1",
        "officer_id": "h1",
        "agreed_on": TODAY,
        "today": TODAY,
    }
    asked = known | given
    signed = asked.pop("drafted", drafted(lead_signed_by=None))
    faults = rules.lead_faults(ILL, signed, asked.pop("measures", BOTH), **asked)
    assert codes(faults) == expected


@pytest.mark.parametrize(
    ("draft", "officer", "on", "expected"),
    [
        (drafted(), "t3", TODAY, []),
        (drafted(), "h1", TODAY, ["same_officer"]),
        (drafted(), "t1", TODAY, ["same_officer"]),
        (drafted(lead_signed_by=None), "t3", TODAY, ["lead_signature_missing"]),
        (drafted(), "t3", date(2026, 11, 26), ["date_in_future"]),
        (drafted(), "t3", date(2026, 11, 19), ["before_draft"]),
        (drafted(category=None), "t3", TODAY, ["plan_outdated"]),
        (drafted(lead_signed_by="h2"), "t3", TODAY, ["lead_changed"]),
        (drafted(agreed_on=TODAY), "t3", TODAY, []),
        (drafted(agreed_on=TODAY), "t3", date(2026, 11, 24), ["before_agreement"]),
    ],
)
def test_who_brings_it_into_force(
    draft: Drafted, officer: str, on: date, expected: list[str]
) -> None:
    faults = rules.approval_faults(ILL, draft, lead="h1", officer_id=officer, on=on, today=TODAY)
    assert codes(faults) == expected


def test_a_household_that_left_needs_no_plan() -> None:
    left = replace_state(ILL)
    faults = rules.approval_faults(
        left, drafted(), lead="h1", officer_id="t3", on=TODAY, today=TODAY
    )
    assert codes(faults) == ["plan_outdated"]


def replace_state(facts: Facts) -> Facts:
    return facts.model_copy(update={"state": State.LIFTED})


@pytest.mark.parametrize(
    ("on", "reason", "expected"),
    [
        (date(2026, 11, 1), None, []),
        (date(2026, 10, 31), None, ["before_beginning"]),
        (date(2026, 10, 31), "已搬迁", []),
        (TODAY, " ", ["reason_missing"]),
        (date(2026, 11, 26), None, ["date_in_future"]),
    ],
)
def test_how_a_measure_ends(on: date, reason: str | None, expected: list[str]) -> None:
    faults = rules.measure_end_faults(
        "on", on, reason, begins_on=date(2026, 11, 1), officer_id="h1", today=TODAY
    )
    assert codes(faults) == expected


SINCE_2025 = [Period(date(2025, 12, 31), None)]
FROM_2023_TO_2024 = [Period(date(2023, 3, 1), date(2024, 1, 1)), Period(date(2026, 3, 1), None)]


@pytest.mark.parametrize(
    ("year", "plans", "income", "expected"),
    [
        (2025, SINCE_2025, "0", []),
        (2026, SINCE_2025, "0", ["year_not_over"]),
        (2024, SINCE_2025, "0", ["no_plan_that_year"]),
        (2025, [], "0", ["no_plan_that_year"]),
        (2025, SINCE_2025, "-0.01", ["amount_negative"]),
        (2022, FROM_2023_TO_2024, "0", ["no_plan_that_year"]),
        (2023, FROM_2023_TO_2024, "0", []),
        (2024, FROM_2023_TO_2024, "0", []),
        (2025, FROM_2023_TO_2024, "0", ["no_plan_that_year"]),
    ],
)
def test_a_years_result(year: int, plans: list[Period], income: str, expected: list[str]) -> None:
    faults = rules.result_faults(year, Decimal(income), plans, officer_id="h1", today=TODAY)
    assert codes(faults) == expected


def test_replaced_measures_are_values() -> None:
    assert rules.unplanned(ILL.causes, [replace(BOTH[1], budget=Decimal(1))]) == (Cause.ILLNESS,)
