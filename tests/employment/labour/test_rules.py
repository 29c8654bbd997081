"""C44, C45, R24, R30: one case a sentence, both sides of every boundary."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.employment.labour.ages import working_age
from services.employment.labour.explanations import CASE_OUTCOMES, OUTCOMES, REASONS
from services.employment.labour.rules import (
    Job,
    Outcome,
    Status,
    assess,
    closing,
    judge,
    next_look,
    no_ability,
    opens,
    resting_because,
)
from shared.contracts.registry import (
    Disability,
    DisabilityKind,
    LaborAbility,
    Member,
    SchoolStage,
    Sex,
    State,
    Work,
)
from shared.identity import new_id
from tests.support.builders import member

TODAY = date(2026, 11, 24)
BORN = date(1985, 3, 1)


def man(**facts: Any) -> Member:
    return member(**({"birth_date": BORN} | facts))


def job(counts_from: date = TODAY, until: date | None = None) -> Job:
    return Job(placement_id=new_id(), kind="contract", counts_from=counts_from, counts_until=until)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"labor_ability": LaborAbility.SKILLED}, None),
        ({"labor_ability": LaborAbility.ORDINARY}, None),
        ({"labor_ability": LaborAbility.WEAK}, None),
        ({"labor_ability": LaborAbility.LOST}, "labor_lost"),
        ({"labor_ability": LaborAbility.NONE}, "labor_none"),
        ({}, None),
        ({"school_stage": SchoolStage.NOT_AT_SCHOOL}, None),
        ({"school_stage": SchoolStage.SENIOR}, "at_school"),
        ({"school_stage": SchoolStage.COLLEGE, "labor_ability": LaborAbility.SKILLED}, "at_school"),
        ({"birth_date": date(1966, 11, 24)}, "sixty_or_over"),
        ({"birth_date": date(1966, 11, 25)}, None),
        ({"birth_date": date(1966, 11, 24), "labor_ability": LaborAbility.WEAK}, None),
    ],
)
def test_who_is_able(facts: dict[str, Any], why: str | None) -> None:
    assert no_ability(man(**facts), TODAY) == why


@pytest.mark.parametrize(
    ("kind", "worst_able"),
    [
        (DisabilityKind.INTELLECTUAL, 4),
        (DisabilityKind.MENTAL, 4),
        (DisabilityKind.LIMB, 3),
        (DisabilityKind.SIGHT, 2),
        (DisabilityKind.HEARING, 1),
        (DisabilityKind.SPEECH, 1),
        (DisabilityKind.MULTIPLE, 1),
    ],
)
def test_r24_decides_by_disability_where_the_ability_is_not_known(
    kind: DisabilityKind, worst_able: int
) -> None:
    for grade in (1, 2, 3, 4):
        disabled = man(disability=Disability(kind=kind, grade=grade))
        expected = None if grade >= worst_able else "severe_disability"
        assert no_ability(disabled, TODAY) == expected
        known = disabled.model_copy(update={"labor_ability": LaborAbility.WEAK})
        assert no_ability(known, TODAY) is None, "what is known outweighs R24"


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"work": Work.FARMING}, Status.EMPLOYED),
        ({"work": Work.FLEXIBLE}, Status.EMPLOYED),
        ({"work": Work.MIGRANT_IN_COUNTY}, Status.EMPLOYED),
        ({"work": Work.MIGRANT_IN_PROVINCE}, Status.EMPLOYED),
        ({"work": Work.MIGRANT_OUT_OF_PROVINCE}, Status.EMPLOYED),
        ({"work": Work.UNEMPLOYED}, Status.UNEMPLOYED),
        ({"work": Work.NOT_WORKING}, Status.UNEMPLOYED),
        ({}, Status.UNEMPLOYED),
        ({"willing_to_work": True}, Status.UNEMPLOYED),
        ({"willing_to_work": False}, Status.NOT_WILLING),
        ({"willing_to_work": False, "labor_ability": LaborAbility.LOST}, Status.NOT_ABLE),
        ({"work": Work.FARMING, "school_stage": SchoolStage.VOCATIONAL}, Status.STUDENT),
        ({"work": Work.FARMING, "labor_ability": LaborAbility.NONE}, Status.NOT_ABLE),
    ],
)
def test_the_status_by_the_registry(facts: dict[str, Any], status: Status) -> None:
    assert assess(man(**facts), TODAY).status is status


def test_the_reasons_say_what_the_status_rests_on() -> None:
    found = assess(man(work=Work.FARMING, labor_ability=LaborAbility.WEAK), TODAY)
    assert found.reasons == ("labor_weak", "willing_unstated", "work_farming")
    assert assess(man(), TODAY).reasons == ("labor_unknown", "willing_unstated", "work_unknown")


@pytest.mark.parametrize(
    ("counts_from", "until", "employed"),
    [
        (TODAY, None, True),
        (date(2026, 11, 25), None, False),
        (date(2026, 1, 1), date(2026, 11, 24), False),  # today is the first day without it
        (date(2026, 1, 1), date(2026, 11, 25), True),
    ],
)
def test_a_placement_counts_until_it_ends_whatever_the_registry_says(
    counts_from: date, until: date | None, employed: bool
) -> None:
    for facts in (
        {"work": Work.UNEMPLOYED},
        {"work": Work.UNEMPLOYED, "willing_to_work": False},
        {"labor_ability": LaborAbility.LOST},
    ):
        found = assess(man(**facts), TODAY, [job(counts_from, until)])
        assert (found.status is Status.EMPLOYED) is employed
        assert found.in_r30 is (employed or facts == {"work": Work.UNEMPLOYED})


WORKING = {"work": Work.FARMING}
IDLE = {"work": Work.UNEMPLOYED}
PUPIL = {"birth_date": date(2012, 5, 1), "school_stage": SchoolStage.JUNIOR}


@pytest.mark.parametrize(
    ("people", "outcome", "evidence"),
    [
        ([IDLE], Outcome.ZERO_EMPLOYMENT, "zero_employment"),
        ([IDLE, IDLE, PUPIL], Outcome.ZERO_EMPLOYMENT, "zero_employment"),
        ([IDLE, WORKING], Outcome.EMPLOYED, "work:"),
        # past working age, however much he farms
        ([IDLE, WORKING | {"birth_date": date(1955, 1, 1)}], Outcome.ZERO_EMPLOYMENT, "zero_"),
        # not counted into the household (prison): neither saves it nor burdens it
        ([IDLE, WORKING | {"counted": False}], Outcome.ZERO_EMPLOYMENT, "zero_employment"),
        ([IDLE | {"counted": False}], Outcome.NO_ABLE_MEMBER, "exempt:no_able_member"),
        ([IDLE | {"labor_ability": LaborAbility.LOST}], Outcome.NO_ABLE_MEMBER, "exempt:"),
        ([IDLE | {"school_stage": SchoolStage.SENIOR}], Outcome.NO_ABLE_MEMBER, "exempt:"),
        ([PUPIL], Outcome.NO_ABLE_MEMBER, "exempt:no_able_member"),
        ([], Outcome.NO_ABLE_MEMBER, "exempt:no_able_member"),
        ([IDLE | {"willing_to_work": False}], Outcome.NONE_WILLING, "exempt:none_willing"),
        ([IDLE, IDLE | {"willing_to_work": False}], Outcome.ZERO_EMPLOYMENT, "zero_employment"),
        # works, does not want to, and nobody else can: nobody able is willing
        ([WORKING | {"willing_to_work": False}], Outcome.NONE_WILLING, "exempt:none_willing"),
    ],
)
def test_r30_the_household(people: list[dict[str, Any]], outcome: Outcome, evidence: str) -> None:
    verdict = judge([assess(man(**facts), TODAY) for facts in people])
    assert verdict.outcome is outcome
    assert verdict.evidence.startswith(evidence)
    assert verdict.met is (outcome is not Outcome.ZERO_EMPLOYMENT)


def test_the_evidence_names_the_placement_or_the_person_at_work() -> None:
    idle, farmer, placement = man(**IDLE), man(**WORKING), job()
    assert judge([assess(idle, TODAY, [placement])]).evidence == (
        f"placement:{placement.placement_id}"
    )
    found = judge([assess(idle, TODAY), assess(farmer, TODAY)])
    assert found.evidence == f"work:{farmer.person_id}"
    assert (found.able, found.willing, found.employed) == (2, 2, 1)


def test_a_case_opens_on_assistance_only_and_closes_with_its_outcome() -> None:
    zero, employed, exempt = (
        judge([assess(man(**facts), TODAY)]) for facts in (IDLE, WORKING, PUPIL)
    )
    assert opens(zero, on_assistance=True)
    assert not opens(zero, on_assistance=False)
    assert not opens(employed, on_assistance=True)
    assert not opens(exempt, on_assistance=True)
    assert closing(zero, on_assistance=True) is None
    assert closing(employed, on_assistance=True) == "employed"
    assert closing(exempt, on_assistance=True) == "exempt"
    assert closing(zero, on_assistance=False) == "left_assistance"


@pytest.mark.parametrize(
    ("born", "state", "why"),
    [
        (BORN, State.IDENTIFIED, None),
        (BORN, State.RETURNED, None),
        (BORN, State.LIFTED, "household_lifted"),
        (BORN, State.EXITED, "household_exited"),
        (BORN, State.CLOSED, "household_closed"),
        (date(1950, 1, 1), State.IDENTIFIED, "past_working_age"),
        (date(2015, 1, 1), State.IDENTIFIED, "under_working_age"),
    ],
)
def test_when_a_profile_rests(born: date, state: State, why: str | None) -> None:
    age = working_age(Sex.MALE, born)
    assert resting_because(age.covers(TODAY), age, state, TODAY) == why


@pytest.mark.parametrize(
    ("facts", "jobs", "day"),
    [
        ({"birth_date": date(2010, 11, 25)}, [], date(2026, 11, 25)),
        # the ability is not known: the 60th birthday comes before the day of retirement
        ({"birth_date": date(1970, 1, 1)}, [], date(2030, 1, 1)),
        (
            {"birth_date": date(1970, 1, 1), "labor_ability": LaborAbility.WEAK},
            [],
            date(2031, 5, 1),
        ),
        ({"birth_date": date(1940, 1, 1)}, [], None),
        ({}, [job(date(2026, 12, 1))], date(2026, 12, 1)),
        ({}, [job(date(2026, 1, 1), date(2027, 1, 1))], date(2027, 1, 1)),
        ({"birth_date": date(2010, 11, 24)}, [], date(2070, 11, 24)),  # today's was today
    ],
)
def test_the_next_day_to_look(facts: dict[str, Any], jobs: list[Job], day: date | None) -> None:
    assert next_look([assess(man(**facts), TODAY, jobs)], TODAY) == day


members = st.builds(
    man,
    birth_date=st.dates(date(1950, 1, 1), date(2015, 1, 1)),
    labor_ability=st.none() | st.sampled_from(list(LaborAbility)),
    willing_to_work=st.none() | st.booleans(),
    school_stage=st.none() | st.sampled_from(list(SchoolStage)),
    work=st.none() | st.sampled_from(list(Work)),
    counted=st.booleans(),
)


@given(st.lists(members, max_size=5))
def test_zero_employment_is_r30_word_for_word(people: list[Member]) -> None:
    """``able_and_willing_members >= 1 ∧ all of them unemployed``, whatever the household."""
    assessed = [assess(each, TODAY) for each in people]
    ready = [each for each in assessed if each.in_r30]
    verdict = judge(assessed)
    zero = len(ready) >= 1 and all(each.status is Status.UNEMPLOYED for each in ready)
    assert (verdict.outcome is Outcome.ZERO_EMPLOYMENT) is zero
    assert verdict.able >= verdict.willing >= verdict.employed


@given(st.lists(members, max_size=4))
def test_nothing_changes_before_the_next_look(people: list[Member]) -> None:
    """The turn loses no day: until the day it waits for, every household is judged the same."""
    assessed = [assess(each, TODAY) for each in people]
    day = next_look(assessed, TODAY)
    before = date(2040, 1, 1) if day is None else date.fromordinal(day.toordinal() - 1)
    assert judge([assess(each, before) for each in people]) == judge(assessed)


@given(members)
def test_every_reason_can_be_told_in_chinese(person: Member) -> None:
    assert set(assess(person, TODAY).reasons) <= set(REASONS)


def test_every_outcome_can_be_told_in_chinese() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(CASE_OUTCOMES) == {"employed", "exempt", "left_assistance"}
    assert {f"household_{state}" for state in State if not state.on_assistance} <= set(REASONS)
