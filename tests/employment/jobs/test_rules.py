"""C45, C46, R30: who may be placed, when a placement counts, when it is over."""

from datetime import date
from typing import Any

import pytest

from services.employment.jobs.rules import (
    EndReason,
    Kind,
    Standing,
    Term,
    counts_from,
    ending_refusals,
    overlaps,
    refusals,
    stand,
)
from services.employment.labour.explanations import REASONS
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import LaborAbility, SchoolStage
from tests.support.builders import member

TODAY = date(2026, 11, 24)
MAY = date(2026, 5, 4)


@pytest.mark.parametrize(
    ("kind", "begins_on", "day"),
    [
        (Kind.CONTRACT, MAY, MAY),
        (Kind.PUBLIC_WELFARE_JOB, MAY, MAY),
        (Kind.LICENSED_BUSINESS, MAY, MAY),
        (Kind.MIGRANT_WORK, MAY, date(2026, 8, 4)),
        (Kind.MIGRANT_WORK, date(2026, 11, 30), date(2027, 2, 28)),
    ],
)
def test_migrant_work_counts_after_three_months_the_rest_at_once(
    kind: Kind, begins_on: date, day: date
) -> None:
    assert counts_from(kind, begins_on, 3) == day


def test_every_kind_can_be_told_in_chinese_and_has_its_programme() -> None:
    assert {f"placement_{kind}" for kind in Kind} <= set(REASONS)
    programmes = {kind: kind.programme for kind in Kind}
    assert programmes.pop(Kind.PUBLIC_WELFARE_JOB) == "public_welfare_job"
    assert set(programmes.values()) == {"job_placement"}


@pytest.mark.parametrize(
    ("facts", "term", "codes"),
    [
        ({}, Term(begins_on=MAY), []),
        ({}, Term(begins_on=TODAY), []),
        ({}, Term(begins_on=date(2026, 11, 25)), ["from_in_future"]),
        ({}, Term(begins_on=MAY, until=MAY), []),
        ({}, Term(begins_on=MAY, until=date(2026, 5, 3)), ["until_before_from"]),
        ({"birth_date": date(2010, 5, 4)}, Term(begins_on=MAY), []),  # 16 on that very day
        ({"birth_date": date(2010, 5, 5)}, Term(begins_on=MAY), ["under_sixteen"]),
        ({"birth_date": date(1950, 5, 5)}, Term(begins_on=MAY), ["past_working_age", "not_able"]),
        ({"school_stage": SchoolStage.SENIOR}, Term(begins_on=MAY), ["enrolled_in_school"]),
        ({"school_stage": SchoolStage.NOT_AT_SCHOOL}, Term(begins_on=MAY), []),
        ({"labor_ability": LaborAbility.LOST}, Term(begins_on=MAY), ["not_able"]),
        ({"labor_ability": LaborAbility.WEAK}, Term(begins_on=MAY), []),
        ({"willing_to_work": False}, Term(begins_on=MAY), []),  # whoever takes a job wants one
        (
            {"school_stage": SchoolStage.SENIOR},
            Term(begins_on=date(2026, 12, 1), until=MAY),
            ["enrolled_in_school", "from_in_future", "until_before_from"],
        ),
    ],
)
def test_all_that_speaks_against_it_is_told(
    facts: dict[str, Any], term: Term, codes: list[str]
) -> None:
    assert [each.code for each in refusals(member(**facts), term, TODAY)] == codes


def test_who_stands_in_no_file_is_not_placed() -> None:
    (found,) = refusals(None, Term(begins_on=MAY), TODAY)
    assert (found.where, found.code) == ("#/person_id", "not_a_member")


@pytest.mark.parametrize(
    ("ended_on", "codes"),
    [
        (date(2026, 5, 3), ["ended_before_from"]),
        (MAY, []),
        (TODAY, []),
        (date(2026, 11, 25), ["ended_in_future"]),
    ],
)
def test_the_day_it_ends(ended_on: date, codes: list[str]) -> None:
    found = ending_refusals(Term(begins_on=MAY), ended_on, TODAY)
    assert [each.code for each in found] == codes


@pytest.mark.parametrize(
    ("term", "other", "meet"),
    [
        (Term(begins_on=MAY), (date(2026, 1, 1), MAY), False),
        (Term(begins_on=MAY), (date(2026, 1, 1), date(2026, 5, 5)), True),
        (Term(begins_on=MAY), (date(2026, 6, 1), None), True),
        (Term(begins_on=MAY, until=date(2026, 5, 31)), (date(2026, 6, 1), None), False),
        (Term(begins_on=MAY, until=date(2026, 6, 1)), (date(2026, 6, 1), None), True),
    ],
)
def test_one_at_a_time(term: Term, other: tuple[date, date | None], meet: bool) -> None:
    assert overlaps(term, [other]) is meet
    assert overlaps(term, []) is False


APPROVED, REVERSED = AssistanceStatus.APPROVED, AssistanceStatus.REVERSED


@pytest.mark.parametrize(
    ("term", "counting_from", "before", "after"),
    [
        # open, counting
        (Term(begins_on=MAY), MAY, Standing(), Standing(published=APPROVED)),
        (Term(begins_on=TODAY), TODAY, Standing(), Standing(published=APPROVED)),
        # migrant work that does not count yet
        (
            Term(begins_on=TODAY),
            date(2027, 2, 24),
            Standing(),
            Standing(turns_on=date(2027, 2, 24)),
        ),
        # agreed until today: still the last day
        (
            Term(begins_on=MAY, until=TODAY),
            MAY,
            Standing(),
            Standing(published=APPROVED, turns_on=date(2026, 11, 25)),
        ),
        # agreed until yesterday: over, and yet a measure that was granted
        (
            Term(begins_on=MAY, until=date(2026, 11, 23)),
            MAY,
            Standing(published=APPROVED),
            Standing(ended_on=TODAY, end_reason=EndReason.TERM_OVER, published=APPROVED),
        ),
        # migrant work agreed for less than three months never counts
        (
            Term(begins_on=TODAY, until=date(2027, 2, 23)),
            date(2027, 2, 24),
            Standing(),
            Standing(turns_on=date(2027, 2, 24)),
        ),
        (
            Term(begins_on=MAY, until=date(2026, 8, 3)),
            date(2026, 8, 4),
            Standing(),
            Standing(ended_on=date(2026, 8, 4), end_reason=EndReason.TERM_OVER),
        ),
        # ... and of three months and a day it did
        (
            Term(begins_on=MAY, until=date(2026, 8, 4)),
            date(2026, 8, 4),
            Standing(),
            Standing(ended_on=date(2026, 8, 5), end_reason=EndReason.TERM_OVER, published=APPROVED),
        ),
        # ended by an officer: what was granted was granted
        (
            Term(begins_on=MAY),
            MAY,
            Standing(ended_on=TODAY, end_reason=EndReason.DISMISSED, published=APPROVED),
            Standing(ended_on=TODAY, end_reason=EndReason.DISMISSED, published=APPROVED),
        ),
        # entered in error, or ended before it counted: told as reversed
        (
            Term(begins_on=MAY),
            MAY,
            Standing(ended_on=TODAY, end_reason=EndReason.ENTERED_IN_ERROR, published=APPROVED),
            Standing(ended_on=TODAY, end_reason=EndReason.ENTERED_IN_ERROR, published=REVERSED),
        ),
        (
            Term(begins_on=MAY),
            date(2026, 8, 4),
            Standing(ended_on=date(2026, 8, 4), end_reason=EndReason.RESIGNED, published=APPROVED),
            Standing(ended_on=date(2026, 8, 4), end_reason=EndReason.RESIGNED, published=REVERSED),
        ),
        (
            Term(begins_on=MAY),
            date(2026, 8, 4),
            Standing(ended_on=date(2026, 8, 4), end_reason=EndReason.RESIGNED),
            Standing(ended_on=date(2026, 8, 4), end_reason=EndReason.RESIGNED),
        ),
    ],
)
def test_how_it_stands(term: Term, counting_from: date, before: Standing, after: Standing) -> None:
    assert stand(term, counting_from, before, TODAY) == after
    assert stand(term, counting_from, after, TODAY) == after, "asked again it says the same"
