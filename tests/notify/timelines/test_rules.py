"""What an event tells of a household's life (C6, C8, C24)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.timelines.rules import (
    RANKS,
    Kind,
    told_by_assistance,
    told_by_guarantee,
    told_by_hardship,
    told_by_household,
)
from shared.contracts.registry import Category, HouseholdState, Incomes, State
from shared.identity import new_id
from tests.notify.timelines.support import aid, guarantee, hardship, lived
from tests.support.builders import IDENTIFIED_ON, household

MAY, SEPTEMBER, JANUARY = date(2026, 5, 1), date(2026, 9, 10), date(2027, 1, 5)


def told(state: HouseholdState) -> list[tuple[Kind, date, str | None]]:
    return [(each.kind, each.happened_on, each.code) for each in told_by_household(state, 1)]


def changed(on: date, **facts: Any) -> HouseholdState:
    state = household()
    later = state.periods[-1].model_copy(update={"valid_from": on} | facts)
    return state.model_copy(update={"periods": (*state.periods, later)})


def test_a_household_that_was_identified_tells_just_that() -> None:
    (only,) = told_by_household(household(wage="6000.00"), 7)
    assert (only.kind, only.happened_on, only.code) == (Kind.IDENTIFIED, IDENTIFIED_ON, "dibao")
    assert only.version == 7
    assert only.detail == {
        "episode": 1,
        "origin": "application",
        "n": 1,
        "yearly_income": "6000.00",
        "keep_policy_until": None,
    }


def test_a_whole_life_is_told_in_its_steps() -> None:
    state = lived(
        household(),
        (State.LIFTED, SEPTEMBER),
        (State.EXITED, date(2026, 12, 1)),
        (State.RETURNED, JANUARY),
    )
    assert told(state) == [
        (Kind.IDENTIFIED, IDENTIFIED_ON, "dibao"),
        (Kind.LIFTED, SEPTEMBER, "dibao"),
        (Kind.EXITED, date(2026, 12, 1), "dibao"),
        (Kind.RETURNED, JANUARY, "dibao"),
    ]


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"category": Category.DIBAO_MARGINAL}, Kind.CATEGORY_CHANGED),
        ({"category": Category.DIBAO_MARGINAL, "n": 2}, Kind.CATEGORY_CHANGED),
        ({"n": 2}, Kind.FACTS_CHANGED),
        ({"incomes": Incomes(wage=Decimal("6000.01"))}, Kind.FACTS_CHANGED),
        ({"keep_policy_until": date(2027, 1, 1)}, Kind.FACTS_CHANGED),
        ({}, None),
        ({"incomes": Incomes(business=Decimal(6000))}, None),
    ],
)
def test_a_new_period_is_told_by_what_it_changes(facts: dict[str, Any], kind: Kind | None) -> None:
    found = [each for each in told(changed(MAY, **facts)) if each[0] is not Kind.IDENTIFIED]
    expected = facts.get("category", Category.DIBAO).value
    assert found == ([] if kind is None else [(kind, MAY, expected)])


def test_a_change_tells_what_was_before() -> None:
    last = told_by_household(changed(MAY, n=2, category=Category.DIBAO_MARGINAL), 1)[-1]
    assert last.detail["n"] == 2
    assert last.detail["before"] == {
        "category": "dibao",
        "n": 1,
        "yearly_income": "6000.00",
        "keep_policy_until": None,
    }


def test_a_closed_file_says_so() -> None:
    state = household(state=State.CLOSED, effective_from=MAY)
    assert told(state)[-1] == (Kind.CLOSED, MAY, "dibao")


def test_every_part_of_a_life_is_one_of_its_own() -> None:
    state = lived(household(), (State.LIFTED, MAY), (State.RETURNED, MAY), (State.LIFTED, MAY))
    keys = [each.key for each in told_by_household(state, 1)]
    assert len(set(keys)) == len(keys) == 4


@pytest.mark.parametrize(
    ("month", "counts_in", "said"),
    [(date(2026, 12, 1), date(2026, 12, 1), "2026-12"), (None, date(2026, 11, 1), None)],
)
def test_a_measure_counts_in_its_own_month_or_in_that_of_its_grant(
    month: date | None, counts_in: date, said: str | None
) -> None:
    measure = told_by_assistance("/relief", aid(new_id(), month=month), 3)
    assert (measure.month, measure.detail["month"]) == (counts_in, said)
    assert (measure.code, measure.amount, measure.happened_on, measure.version) == (
        "dibao",
        Decimal("650.00"),
        date(2026, 11, 25),
        3,
    )


def test_a_guarantee_s_next_turn_is_a_happening_of_its_own() -> None:
    red = guarantee(new_id())
    green = red.model_copy(update={"met": True, "since": SEPTEMBER})
    again = red.model_copy(update={"evidence_id": "survey:2"})
    first, second, third = (told_by_guarantee("/housing", each, 1) for each in (red, green, again))
    assert first.key != second.key
    assert first.key == third.key


def test_a_hardship_of_an_unknown_kind_is_kept() -> None:
    sign = told_by_hardship("/housing", hardship(new_id(), kind="flooded"), 1)
    assert (sign.kind, sign.code, sign.amount) == (Kind.HARDSHIP, "flooded", None)


def test_of_one_day_identified_comes_first_and_closed_last() -> None:
    assert min(RANKS, key=RANKS.__getitem__) is Kind.IDENTIFIED
    assert max(RANKS, key=RANKS.__getitem__) is Kind.CLOSED


@given(st.lists(st.sampled_from([State.LIFTED, State.RETURNED, State.IDENTIFIED]), max_size=6))
def test_the_same_state_always_tells_the_same(steps: list[State]) -> None:
    days = [date(2026, 4, 1 + place) for place in range(len(steps))]
    state = lived(household(), *zip(steps, days, strict=True))
    reread = HouseholdState.model_validate_json(state.model_dump_json())
    assert told_by_household(state, 1) == told_by_household(reread, 1)
