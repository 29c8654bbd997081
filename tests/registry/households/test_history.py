"""Facts in two times: corrections travel forward, periods follow, versions leave no hole."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.households import history, rules
from services.registry.households.facts import Facts
from services.registry.households.history import Entry, Timeline, amend, facts_at
from shared.contracts.registry import (
    Category,
    HouseGrade,
    Incomes,
    Member,
    Relation,
    RuleSet,
    Sex,
    State,
    Work,
)

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))
HEAD, SON, BABY = (UUID(int=number) for number in (1, 2, 3))


def someone(person_id: UUID, relation: Relation = Relation.SON, **facts: Any) -> Member:
    known = {"sex": Sex.MALE, "birth_date": date(1990, 1, 1)}
    return Member(person_id=person_id, relation=relation, **(known | facts))


def first(**facts: Any) -> Facts:
    known: dict[str, Any] = {
        "category": Category.DIBAO,
        "division_code": "331124002221",
        "head_person_id": HEAD,
        "incomes": Incomes(wage=Decimal(100)),
        "members": (someone(HEAD, Relation.HEAD), someone(SON)),
    }
    filed = rules.tidy(Facts(**(known | facts)))
    return rules.identified(filed, on=JAN, origin="application")


def with_wage(facts: Facts, wage: int) -> Facts:
    return rules.tidy(facts.model_copy(update={"incomes": Incomes(wage=Decimal(wage))}))


def changed(timeline: Timeline, on: date, **update: Any) -> Timeline:
    facts = facts_at(timeline, on)
    assert facts is not None
    return amend(timeline, on, rules.tidy(facts.model_copy(update=update)))


def wages(timeline: Timeline) -> list[tuple[date, int]]:
    return [(entry.valid_from, int(entry.facts.incomes.wage)) for entry in timeline]


def test_a_correction_stops_where_the_value_itself_had_changed() -> None:
    timeline = rules.beginning(JAN, first())
    timeline = amend(timeline, MAR, with_wage(timeline[-1].facts, 200))

    corrected = amend(timeline, FEB, with_wage(timeline[0].facts, 150))

    assert wages(corrected) == [(JAN, 100), (FEB, 150), (MAR, 200)]


def test_a_correction_does_not_reach_past_a_change_that_was_undone() -> None:
    timeline = rules.beginning(JAN, first())
    timeline = amend(timeline, MAR, with_wage(timeline[-1].facts, 200))
    timeline = amend(timeline, APR, with_wage(timeline[-1].facts, 100))

    corrected = amend(timeline, FEB, with_wage(timeline[0].facts, 150))

    assert wages(corrected) == [(JAN, 100), (FEB, 150), (MAR, 200), (APR, 100)]


def test_a_correction_passes_changes_of_other_values() -> None:
    timeline = rules.beginning(JAN, first())
    timeline = changed(timeline, MAR, house_grade=HouseGrade.C)

    corrected = amend(timeline, FEB, with_wage(timeline[0].facts, 150))

    assert wages(corrected) == [(JAN, 100), (FEB, 150), (MAR, 150)]
    assert corrected[-1].facts.house_grade is HouseGrade.C


def test_a_member_added_in_the_past_stays_from_then_on() -> None:
    timeline = rules.beginning(JAN, first())
    timeline = changed(timeline, MAR, house_grade=HouseGrade.C)
    members = (*timeline[0].facts.members, someone(BABY))

    corrected = changed(timeline, FEB, members=members)

    assert [entry.facts.n for entry in corrected] == [2, 3, 3]


def test_a_member_gone_in_the_past_is_gone_even_where_he_had_changed() -> None:
    timeline = rules.beginning(JAN, first())
    at_work = (timeline[0].facts.members[0], someone(SON, work=Work.FARMING))
    timeline = changed(timeline, MAR, members=at_work)

    corrected = changed(timeline, FEB, members=timeline[0].facts.members[:1])

    assert [entry.facts.n for entry in corrected] == [2, 1, 1]


def test_a_members_fact_corrected_in_the_past_keeps_his_later_ones() -> None:
    timeline = rules.beginning(JAN, first())
    head = timeline[0].facts.members[0]
    timeline = changed(timeline, MAR, members=(head, someone(SON, work=Work.FARMING)))

    corrected = changed(timeline, FEB, members=(head, someone(SON, insured=True)))

    last = corrected[-1].facts.member(SON)
    assert last is not None
    assert (last.insured, last.work) == (True, Work.FARMING)


def test_what_is_the_same_changes_nothing() -> None:
    timeline = rules.beginning(JAN, first())

    assert amend(timeline, FEB, with_wage(timeline[0].facts, 100)) is timeline


def test_periods_follow_what_entitles_and_nothing_else() -> None:
    timeline = rules.beginning(JAN, first())
    timeline = changed(timeline, FEB, house_grade=HouseGrade.D)
    timeline = changed(timeline, MAR, members=timeline[0].facts.members[:1])
    timeline = changed(timeline, APR, category=Category.TEKUN)

    found = history.periods(timeline)

    assert [(each.valid_from, each.category, each.n) for each in found] == [
        (JAN, "dibao", 2),
        (MAR, "dibao", 1),
        (APR, "tekun", 1),
    ]


def test_periods_tell_what_a_household_is_beside_its_category() -> None:
    timeline = rules.beginning(JAN, first())
    timeline = changed(timeline, MAR, tags=(Category.GROUP_4600,))
    timeline = changed(timeline, APR, tags=())

    found = history.periods(timeline)

    assert [(each.valid_from, each.tags) for each in found] == [
        (JAN, ()),
        (MAR, (Category.GROUP_4600,)),
        (APR, ()),
    ]


def test_nothing_is_told_of_a_file_before_it_is_identified() -> None:
    accepted = first().model_copy(update={"state": State.ACCEPTED, "episodes": ()})
    timeline = rules.beginning(JAN, accepted)

    assert history.periods(timeline) == ()
    assert history.published(HEAD, timeline, effective_from=JAN) is None


days = st.integers(0, 90).map(lambda ahead: JAN + timedelta(days=ahead))
updates = st.one_of(
    st.builds(lambda wage: {"incomes": Incomes(wage=Decimal(wage))}, st.integers(0, 3)),
    st.builds(lambda grade: {"house_grade": grade}, st.sampled_from(HouseGrade)),
    st.builds(lambda category: {"category": category}, st.sampled_from(Category)),
    st.builds(
        lambda others: {
            "members": (
                someone(HEAD, Relation.HEAD),
                *(someone(each) for each in sorted(others)),
            )
        },
        st.sets(st.sampled_from([SON, BABY])),
    ),
)


@given(st.lists(st.tuples(days, updates), max_size=8))
def test_any_row_of_changes_leaves_a_sound_timeline(
    changes: list[tuple[date, dict[str, Any]]],
) -> None:
    timeline = rules.beginning(JAN, first())
    for on, update in changes:
        before = timeline
        timeline = changed(timeline, on, **update)
        wanted = facts_at(timeline, on)
        assert wanted is not None
        for name, value in update.items():
            if name != "members":
                assert rules.tidy(wanted) == wanted
                assert getattr(wanted, name) == value
        # what held before the day of the change is never touched
        assert [e for e in timeline if e.valid_from < on] == [
            e for e in before if e.valid_from < on
        ]
        recorded = history.changed_entries(before, timeline)
        assert replayed(before, recorded) == timeline
    check_periods(timeline)


def replayed(before: Timeline, recorded: list[Entry]) -> Timeline:
    """What a reader of the archive sees once these entries were added to what was there."""
    known = {entry.valid_from: entry for entry in before}
    known |= {entry.valid_from: entry for entry in recorded}
    return tuple(known[on] for on in sorted(known))


def check_periods(timeline: Timeline) -> None:
    found = history.periods(timeline)
    now = timeline[-1].facts
    last = found[-1]
    assert (last.state, last.category, last.n, last.incomes, last.keep_policy_until) == (
        now.state,
        now.category,
        now.n,
        now.incomes,
        now.keep_policy_until,
    )
    assert [each.valid_from for each in found] == sorted({each.valid_from for each in found})
    for entry in timeline:
        (holding,) = [each for each in found if each.valid_from <= entry.valid_from][-1:]
        assert (holding.category, holding.n) == (entry.facts.category, entry.facts.n)


@pytest.mark.parametrize(
    ("decided_on", "rule_set"),
    [
        (date(2016, 5, 1), "LS2016"),
        (date(2021, 6, 30), "LS2016"),
        (date(2021, 7, 1), "CN2021"),
        (date(2024, 12, 31), "CN2021"),
        (date(2025, 1, 1), "CN2025"),
    ],
)
def test_the_law_is_that_of_the_decisions_day(decided_on: date, rule_set: str) -> None:
    assert RuleSet.on(decided_on) == rule_set


@given(st.integers(1, 99_999), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_of_a_household_number_is_found(
    serial: int, place: int, shift: int
) -> None:
    right = rules.household_no("331124002221", serial)
    digit = (int(right[place]) + shift) % 10
    wrong = f"{right[:place]}{digit}{right[place + 1 :]}"

    if wrong[:12].isdecimal() and int(wrong[12:17]) > 0:
        assert rules.household_no(wrong[:12], int(wrong[12:17])) != wrong


def test_a_village_runs_out_of_numbers_loudly() -> None:
    assert rules.household_no("331124101201", 1) == "331124101201000011"
    with pytest.raises(ValueError, match="no household number left"):
        rules.household_no("331124101201", 100_000)
