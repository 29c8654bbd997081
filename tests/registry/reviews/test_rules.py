"""What a review rests on, and what kind of household a file tells (R28), as tables."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.registry.means.review import Kind, due_after, kind_on_file
from services.registry.reviews import rules
from services.registry.reviews.rules import Outcome, Review
from shared.contracts.registry import (
    Category,
    LaborAbility,
    Member,
    Relation,
    RuleSet,
    SchoolStage,
    Sex,
    Work,
)
from tests.registry.lifecycle.judged import HEAD, accepted, check, identified

TODAY = date(2026, 11, 25)
SINCE = date(2026, 3, 1)


def review(**given: Any) -> Review:
    known: dict[str, Any] = {"reviewed_on": TODAY, "outcome": Outcome.UNCHANGED}
    return Review(**(known | given))


@pytest.mark.parametrize(
    ("given", "checked_on", "passed", "expected"),
    [
        ({}, "2026-11-20", False, []),
        ({}, "2026-03-01", False, []),
        ({}, "2026-02-28", False, ["check_missing"]),
        ({}, "2026-11-26", False, ["check_missing"]),
        ({}, "2026-11-20", True, ["reason_missing"]),
        ({"reason": "短期收入"}, "2026-11-20", True, []),
        ({"outcome": Outcome.FACTS_CHANGED}, "2026-11-20", True, []),
        ({"outcome": Outcome.TO_LIFT}, "2026-11-20", True, []),
        ({"outcome": Outcome.TO_LIFT}, "2026-11-20", False, ["check_failed"]),
        ({"outcome": Outcome.TO_EXIT}, "2026-11-20", False, ["reason_missing"]),
        ({"outcome": Outcome.TO_EXIT, "reason": "自愿退出"}, "2026-11-20", False, []),
        ({"reviewed_on": date(2026, 11, 26)}, "2026-11-20", False, ["date_in_future"]),
        (
            {"reviewed_on": date(2026, 2, 28)},
            "2026-02-20",
            False,
            ["before_last_review", "check_missing"],
        ),
    ],
)
def test_what_a_review_rests_on(
    given: dict[str, Any], checked_on: str, *, passed: bool, expected: list[str]
) -> None:
    made = [check(date.fromisoformat(checked_on), passed=passed)]
    found = rules.review_faults(
        identified(),
        review(**given),
        made,
        since=SINCE,
        reviewed_on=None,
        officer_id="t1",
        today=TODAY,
    )
    assert [fault.code for fault in found] == expected


def test_only_households_on_assistance_are_reviewed() -> None:
    made = [check(date(2026, 11, 20), passed=False)]
    found = rules.review_faults(
        accepted(), review(), made, since=SINCE, reviewed_on=None, officer_id=None, today=TODAY
    )
    assert [fault.code for fault in found] == ["officer_missing", "household_not_assisted"]


@pytest.mark.parametrize(
    ("reviewed_on", "expected"),
    [
        ("2026-11-19", []),
        ("2026-11-20", ["check_missing"]),
        ("2026-11-25", ["check_missing"]),
        ("2026-11-26", ["before_last_review", "check_missing"]),
    ],
)
def test_a_check_is_reviewed_once(reviewed_on: str, expected: list[str]) -> None:
    found = rules.review_faults(
        identified(),
        review(),
        [check(date(2026, 11, 20), passed=False)],
        since=SINCE,
        reviewed_on=date.fromisoformat(reviewed_on),
        officer_id="t1",
        today=TODAY,
    )
    assert [fault.code for fault in found] == expected


def head(**given: Any) -> Member:
    known: dict[str, Any] = {
        "person_id": HEAD,
        "relation": Relation.HEAD,
        "sex": Sex.MALE,
        "birth_date": date(1980, 1, 1),
    }
    return Member(**(known | given))


def child(**given: Any) -> Member:
    return head(person_id=UUID(int=9), relation=Relation.SON, **given)


AWAY = head(work=Work.MIGRANT_IN_PROVINCE)


@pytest.mark.parametrize(
    ("category", "members", "kind"),
    [
        (Category.TEKUN, (AWAY,), Kind.TEKUN),
        (Category.EXPENDITURE_BASED, (AWAY,), Kind.EXPENDITURE),
        (Category.GROUP_4600, (AWAY,), Kind.GROUP_4600),
        (Category.DIBAO, (AWAY,), Kind.STABLE),
        (Category.DIBAO_MARGINAL, (AWAY,), Kind.STABLE),
        (Category.DIBAO, (head(work=Work.FARMING),), Kind.UNSTABLE),
        (Category.DIBAO, (head(),), Kind.UNSTABLE),
        (Category.DIBAO, (head(labor_ability=LaborAbility.LOST),), Kind.STEADY),
        (Category.DIBAO, (head(birth_date=date(1966, 11, 25)),), Kind.STEADY),
        (Category.DIBAO, (head(birth_date=date(1966, 11, 26)),), Kind.UNSTABLE),
        (
            Category.DIBAO,
            (AWAY, child(birth_date=date(2006, 1, 1), school_stage=SchoolStage.PRIMARY)),
            Kind.STABLE,
        ),
        (Category.DIBAO, (AWAY, child(birth_date=date(2006, 1, 1))), Kind.UNSTABLE),
        (
            Category.DIBAO,
            (AWAY, child(birth_date=date(2006, 1, 1), counted=False)),
            Kind.STABLE,
        ),
    ],
)
def test_what_kind_of_household_a_file_tells(
    category: Category, members: tuple[Member, ...], kind: Kind
) -> None:
    facts = identified(category=category, members=members)
    assert kind_on_file(facts, TODAY) is kind


@pytest.mark.parametrize(
    ("kind", "law", "months", "due"),
    [
        (Kind.UNSTABLE, RuleSet.LS2016, 12, "2017-02-28"),
        (Kind.STABLE, RuleSet.LS2016, 12, "2017-05-30"),
        (Kind.STEADY, RuleSet.LS2016, 12, "2017-11-30"),
        (Kind.UNSTABLE, RuleSet.CN2021, 12, "2017-05-30"),
        (Kind.UNSTABLE, RuleSet.CN2025, 3, "2017-02-28"),
        (Kind.STABLE, RuleSet.CN2025, 24, "2017-11-30"),
    ],
)
def test_a_county_looks_sooner_than_the_law_and_never_later(
    kind: Kind, law: RuleSet, months: int, due: str
) -> None:
    assert due_after(kind, law, Decimal(months), date(2016, 11, 30)).isoformat() == due
