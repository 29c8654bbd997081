"""Who may be let go, who follows, and from which day (section 5): both sides of each boundary."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.registry.households.facts import Facts
from services.registry.transfers.rules import (
    Agreement,
    agreement_faults,
    offer_faults,
    refusal_faults,
    take_over_faults,
)
from shared.contracts.registry import Member, Relation, Sex, State

HEAD, SPOUSE, SON = (UUID(int=number) for number in (1, 2, 3))
HERE, THERE = "331124002221", "331121001001"
MOVE = date(2026, 5, 14)


def facts(*person_ids: UUID, uncounted: tuple[UUID, ...] = ()) -> Facts:
    members = tuple(
        Member(
            person_id=person_id,
            relation=Relation.HEAD if person_id == HEAD else Relation.OTHER,
            sex=Sex.MALE,
            birth_date=date(1980, 1, 1),
            counted=person_id not in uncounted,
        )
        for person_id in person_ids
    )
    return Facts(division_code=HERE, head_person_id=HEAD, members=members)


def agreed(*, whole: bool = False, **given: Any) -> Agreement:
    return Agreement(moves_on=MOVE, whole_household=whole, **given)


@pytest.mark.parametrize(
    ("stands_in", "who", "agreement", "codes"),
    [
        (facts(HEAD, SPOUSE), SPOUSE, agreed(), []),
        (facts(HEAD, SPOUSE), HEAD, agreed(), ["head_missing"]),
        (facts(HEAD, SPOUSE), HEAD, agreed(new_head_person_id=SPOUSE), []),
        (facts(HEAD, SPOUSE), HEAD, agreed(new_head_person_id=HEAD), ["head_missing"]),
        (facts(HEAD, SPOUSE), HEAD, agreed(new_head_person_id=SON), ["head_missing"]),
        (facts(HEAD, SPOUSE), HEAD, agreed(whole=True), []),
        (facts(HEAD), HEAD, agreed(), ["whole_household_needed"]),
        (facts(HEAD, SON, uncounted=(SON,)), HEAD, agreed(), ["whole_household_needed"]),
        (facts(HEAD), HEAD, agreed(whole=True), []),
        (None, HEAD, agreed(), []),
        (None, HEAD, agreed(whole=True), ["not_in_household"]),
    ],
)
def test_who_is_let_go(
    stands_in: Facts | None, who: UUID, agreement: Agreement, codes: list[str]
) -> None:
    faults = agreement_faults(stands_in, who, agreement, officer_id="o1")
    assert [fault.code for fault in faults] == codes


@pytest.mark.parametrize(
    ("day", "today", "codes"),
    [
        (date(2026, 5, 13), date(2026, 6, 1), ["before_move"]),
        (MOVE, date(2026, 6, 1), []),
        (MOVE, MOVE, []),
        (date(2026, 5, 15), MOVE, ["date_in_future"]),
    ],
)
def test_from_when_it_is_taken_over(day: date, today: date, codes: list[str]) -> None:
    faults = take_over_faults(day, MOVE, officer_id="o1", today=today)
    assert [fault.code for fault in faults] == codes


def test_every_decision_is_signed() -> None:
    unsigned = [
        *agreement_faults(None, HEAD, agreed(), officer_id=None),
        *refusal_faults("理由", officer_id=None),
        *offer_faults(facts(HEAD), THERE, officer_id=None),
        *take_over_faults(MOVE, MOVE, officer_id=None, today=MOVE),
    ]
    assert [fault.code for fault in unsigned] == ["officer_missing"] * 4


def test_a_refusal_says_why() -> None:
    assert [each.code for each in refusal_faults(" ", officer_id="o1")] == ["reason_missing"]


def test_a_household_is_offered_to_another_village_only() -> None:
    closed = facts(HEAD).model_copy(update={"state": State.CLOSED})
    assert [each.code for each in offer_faults(facts(HEAD), HERE, officer_id="o1")] == [
        "already_there"
    ]
    assert [each.code for each in offer_faults(closed, THERE, officer_id="o1")] == [
        "household_closed"
    ]
