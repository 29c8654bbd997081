"""When a notice may be asked for, whose name it prints, and from when it may be decided on."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.registry.households import rules as households
from services.registry.households.facts import Facts
from services.registry.notices.rules import (
    ASKED_FROM,
    Announcement,
    Wish,
    applicant,
    category_of,
    episode_of,
    is_adult,
    wish_faults,
)
from shared.contracts.notices import NoticeKind, NoticeOutcome, NoticeStatus
from shared.contracts.registry import Category, Member, Relation, Sex, State

TODAY = date(2026, 5, 17)
ADULT, MINOR, OLD = date(1980, 1, 1), date(2012, 3, 1), date(1950, 1, 1)


def member(number: int, born: date, relation: Relation = Relation.OTHER) -> Member:
    return Member(person_id=UUID(int=number), relation=relation, sex=Sex.MALE, birth_date=born)


def facts(*members: Member, **given: Any) -> Facts:
    people = members or (member(1, ADULT, Relation.HEAD),)
    known: dict[str, Any] = {
        "category": Category.DIBAO,
        "division_code": "331124002221",
        "head_person_id": people[0].person_id,
        "members": people,
    }
    return Facts(**(known | given))


def codes(facts: Facts, kind: NoticeKind, **wish: Any) -> list[str]:
    return [fault.code for fault in wish_faults(facts, Wish(kind=kind, **wish), on=TODAY)]


FITTING = {
    (State.ACCEPTED, NoticeKind.IDENTIFICATION),
    (State.IDENTIFIED, NoticeKind.LIFT),
    (State.IDENTIFIED, NoticeKind.EXIT),
    (State.RETURNED, NoticeKind.LIFT),
    (State.RETURNED, NoticeKind.EXIT),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", ASKED_FROM)
def test_a_notice_is_asked_for_where_its_decision_may_follow(
    state: State, kind: NoticeKind
) -> None:
    expected = [] if (state, kind) in FITTING else ["transition_forbidden"]

    assert codes(facts(state=state), kind) == expected


@pytest.mark.parametrize("state", State)
def test_what_another_service_announces_is_not_asked_for_here(state: State) -> None:
    kind = NoticeKind.TEMPORARY_ASSISTANCE

    assert codes(facts(state=state), kind) == ["notice_kind_foreign"]


def test_an_identification_is_announced_with_a_category() -> None:
    open_file = facts(category=None)

    assert codes(open_file, NoticeKind.IDENTIFICATION) == ["category_missing"]
    assert codes(open_file, NoticeKind.IDENTIFICATION, category=Category.TEKUN) == []
    wish = Wish(kind=NoticeKind.IDENTIFICATION, category=Category.TEKUN)
    assert category_of(facts(), wish) is Category.TEKUN
    assert category_of(facts(), Wish(kind=NoticeKind.IDENTIFICATION)) is Category.DIBAO


@pytest.mark.parametrize("kind", [NoticeKind.LIFT, NoticeKind.EXIT])
def test_an_ending_is_announced_in_the_category_of_the_file(kind: NoticeKind) -> None:
    file = facts(state=State.IDENTIFIED)

    assert codes(file, kind, category=Category.TEKUN) == ["category_not_asked"]
    assert codes(file, kind, category=Category.DIBAO) == []


def test_the_episode_of_a_notice_is_the_coming_one_or_the_running_one() -> None:
    once = households.identified(facts(), on=date(2026, 1, 10), origin="application")
    twice = households.identified(once, on=date(2026, 3, 10), origin="returned")

    assert episode_of(NoticeKind.IDENTIFICATION, facts()) == 1
    assert episode_of(NoticeKind.LIFT, once) == 1
    assert episode_of(NoticeKind.EXIT, twice) == 2


@pytest.mark.parametrize(
    ("members", "printed"),
    [
        ([member(1, ADULT), member(2, OLD)], 1),
        ([member(1, MINOR), member(2, ADULT), member(3, OLD)], 3),
        ([member(1, MINOR), member(2, MINOR)], None),
    ],
)
def test_the_head_is_named_else_the_oldest_adult_else_nobody(
    members: list[Member], printed: int | None
) -> None:
    named = applicant(facts(*members), Wish(kind=NoticeKind.IDENTIFICATION), on=TODAY)

    assert (named.person_id.int if named else None) == printed


@pytest.mark.parametrize(
    ("asked", "faults"),
    [(1, []), (2, ["applicant_minor"]), (9, ["applicant_unknown"])],
)
def test_who_is_named_is_an_adult_of_the_household(asked: int, faults: list[str]) -> None:
    file = facts(member(3, OLD), member(1, ADULT), member(2, MINOR))
    wish: dict[str, Any] = {"applicant_person_id": UUID(int=asked)}

    assert codes(file, NoticeKind.IDENTIFICATION, **wish) == faults
    if not faults:
        named = applicant(file, Wish(kind=NoticeKind.IDENTIFICATION, **wish), on=TODAY)
        assert named is not None
        assert named.person_id.int == asked


@pytest.mark.parametrize(
    ("born", "on", "adult"),
    [
        (date(2008, 5, 17), date(2026, 5, 16), False),
        (date(2008, 5, 17), date(2026, 5, 17), True),
        (date(2008, 2, 29), date(2026, 2, 27), False),
        (date(2008, 2, 29), date(2026, 2, 28), True),
    ],
)
def test_majority_begins_on_the_eighteenth_birthday(born: date, on: date, *, adult: bool) -> None:
    assert is_adult(member(1, born), on) is adult


def announcement(**given: Any) -> Announcement:
    known: dict[str, Any] = {
        "notice_request_id": UUID(int=11),
        "kind": NoticeKind.LIFT,
        "episode": 1,
        "category": Category.DIBAO,
        "n": 1,
        "announced_in": "331124002221",
    }
    return Announcement(**(known | given))


@pytest.mark.parametrize(
    ("last_day", "closed_on", "first"),
    [
        (None, None, None),
        (date(2016, 11, 2), None, date(2016, 11, 3)),
        (date(2016, 11, 2), date(2016, 11, 2), date(2016, 11, 3)),
        (date(2016, 11, 2), date(2016, 11, 3), date(2016, 11, 3)),
        (date(2016, 11, 2), date(2016, 11, 20), date(2016, 11, 20)),
    ],
)
def test_a_decision_follows_the_seventh_full_day(
    last_day: date | None, closed_on: date | None, first: date | None
) -> None:
    assert announcement(last_day=last_day, closed_on=closed_on).decidable_from == first


@pytest.mark.parametrize(
    ("given", "is_open"),
    [
        ({}, True),
        ({"status": NoticeStatus.POSTED}, True),
        ({"status": NoticeStatus.OBJECTED}, True),
        ({"status": NoticeStatus.CLOSED, "outcome": NoticeOutcome.UNOPPOSED}, False),
        ({"withdrawn": True}, False),
        ({"withdrawn": True, "status": NoticeStatus.POSTED}, False),
    ],
)
def test_a_notice_is_open_until_it_closes_or_is_withdrawn(
    given: dict[str, Any], *, is_open: bool
) -> None:
    assert announcement(**given).is_open is is_open
