"""C31 and the conditions of R32 as tables of cases."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from services.housing.renovations.rules import (
    ORDER,
    Method,
    Party,
    Stage,
    StageFacts,
    again_from,
    category_on,
    date_faults,
    due_stage,
    method_faults,
    order_fault,
    stage_faults,
    worsened_faults,
)
from shared.contracts.registry import Category, HouseGrade, State
from tests.housing.support import dweller, standing

A, B, C, D = HouseGrade
DAY = date(2026, 5, 6)


def test_each_stage_is_due_after_the_one_before_it() -> None:
    assert ORDER == (
        "applied", "appraised", "planned", "agreed", "started", "checked", "completed",
        "accepted", "paid",
    )  # fmt: skip
    for done, following in pairwise(ORDER):
        assert due_stage(done) is following
        assert order_fault(done, following) is None


@pytest.mark.parametrize("done", Stage)
@pytest.mark.parametrize("asked", Stage)
def test_a_skip_and_a_step_back_name_the_stage_that_is_due(done: Stage, asked: Stage) -> None:
    fault, due = order_fault(done, asked), due_stage(done)
    if asked is due:
        assert fault is None
        return
    assert fault is not None
    assert fault.code == "stage_not_due"
    assert (done if due is None else due) in fault.message


@pytest.mark.parametrize("done", [Stage.PAID, Stage.CANCELLED])
def test_nothing_is_due_after_the_end(done: Stage) -> None:
    assert due_stage(done) is None


@pytest.mark.parametrize(
    ("method", "grade", "fits"),
    [
        (Method.REPAIR, C, True),
        (Method.REPAIR, D, False),
        (Method.REBUILD, D, True),
        (Method.REBUILD, C, False),
        (Method.RELOCATE, D, True),
        (Method.RELOCATE, C, False),
    ],
)
def test_repair_is_for_c_and_rebuilding_and_relocation_for_d(
    method: Method, grade: HouseGrade, fits: bool
) -> None:
    found = method_faults(method, grade, where="#/method")
    assert [fault.code for fault in found] == ([] if fits else ["method_not_for_grade"])


@pytest.mark.parametrize(
    ("method", "grade", "stops"),
    [
        (Method.REPAIR, D, True),
        (Method.REPAIR, C, False),
        (Method.REPAIR, B, False),
        (Method.REPAIR, None, False),
        (Method.REBUILD, D, False),
        (Method.REBUILD, C, False),
    ],
)
def test_a_repair_of_a_house_that_became_d_goes_no_further(
    method: Method, grade: HouseGrade | None, stops: bool
) -> None:
    assert bool(worsened_faults(method, grade)) is stops


@pytest.mark.parametrize(
    ("on", "codes"),
    [
        (date(2026, 5, 5), ["date_before_last_stage"]),
        (DAY, []),
        (date(2026, 5, 7), []),
        (date(2026, 5, 8), ["date_in_future"]),
    ],
)
def test_days_run_neither_backwards_nor_into_the_future(on: date, codes: list[str]) -> None:
    found = date_faults(on, today=date(2026, 5, 7), previous=DAY, where="#/done_on")
    assert [(fault.where, fault.code) for fault in found] == [("#/done_on", c) for c in codes]


def facts(stage: Stage, **given: Any) -> StageFacts:
    return StageFacts(stage=stage, done_on=DAY, **given)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (facts(Stage.APPRAISED, appraised_grade=D), []),
        (facts(Stage.APPRAISED), [("#/appraised_grade", "missing_for_stage")]),
        (
            facts(Stage.APPRAISED, appraised_grade=C),
            [("#/appraised_grade", "method_not_for_grade")],
        ),
        (facts(Stage.PLANNED, plan_year=2026), []),
        (facts(Stage.PLANNED), [("#/plan_year", "missing_for_stage")]),
        (facts(Stage.AGREED), []),
        (facts(Stage.AGREED, contractor="x"), []),
        (facts(Stage.STARTED, contractor="x"), []),
        (facts(Stage.CHECKED, contractor="x"), [("#/contractor", "not_of_this_stage")]),
        (facts(Stage.STARTED, actual_cost=Decimal(1)), [("#/actual_cost", "not_of_this_stage")]),
        (facts(Stage.CHECKED, note="x"), []),
        (facts(Stage.COMPLETED, actual_cost=Decimal(1)), []),
        (facts(Stage.COMPLETED), [("#/actual_cost", "missing_for_stage")]),
        (facts(Stage.ACCEPTED, parties=tuple(Party)), []),
        (facts(Stage.ACCEPTED, parties=tuple(Party)[:3]), [("#/parties", "party_missing")]),
        (facts(Stage.ACCEPTED), [("#/parties", "party_missing")]),
        (
            facts(Stage.COMPLETED, plan_year=2026, parties=(Party.VILLAGE,)),
            [
                ("#/plan_year", "not_of_this_stage"),
                ("#/parties", "not_of_this_stage"),
                ("#/actual_cost", "missing_for_stage"),
            ],
        ),
    ],
)
def test_what_a_stage_needs_and_what_does_not_belong_to_it(
    given: StageFacts, found: list[tuple[str, str]]
) -> None:
    assert [(f.where, f.code) for f in stage_faults(given, Method.REBUILD)] == found


@pytest.mark.parametrize("absent", Party)
def test_every_missing_party_is_named(absent: Party) -> None:
    signed = tuple(party for party in Party if party is not absent)
    (fault,) = stage_faults(facts(Stage.ACCEPTED, parties=signed), Method.REBUILD)
    assert f"（{absent}）" in fault.message
    assert not any(f"（{party}）" in fault.message for party in signed)


@pytest.mark.parametrize("category", Category)
def test_all_five_categories_are_eligible(category: Category) -> None:
    assert category_on(dweller("D", category=category).periods, DAY) is category


@pytest.mark.parametrize(
    ("on", "category"),
    [
        (date(2026, 3, 9), None),
        (date(2026, 3, 10), Category.DIBAO),
        (date(2026, 8, 31), Category.DIBAO),
        (date(2026, 9, 1), None),
    ],
)
def test_only_a_household_on_assistance_that_day(on: date, category: Category | None) -> None:
    state = standing(dweller("D"), State.LIFTED, date(2026, 9, 1))
    assert category_on(state.periods, on) is category


def test_a_returned_household_is_on_assistance_again() -> None:
    lifted = standing(dweller("D"), State.LIFTED, date(2026, 5, 1))
    state = standing(lifted, State.RETURNED, date(2026, 9, 1))
    assert category_on(state.periods, date(2026, 8, 31)) is None
    assert category_on(state.periods, date(2026, 9, 1)) is Category.DIBAO


@pytest.mark.parametrize(
    ("accepted_on", "years", "earliest"),
    [
        (date(2026, 5, 4), "10", date(2036, 5, 4)),
        (date(2024, 2, 29), "10", date(2034, 2, 28)),
        (date(2026, 5, 4), "2.5", date(2028, 11, 4)),
    ],
)
def test_once_in_ten_years(accepted_on: date, years: str, earliest: date) -> None:
    assert again_from(accepted_on, Decimal(years)) == earliest
