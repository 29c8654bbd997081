"""The life cycle's guards as tables: policy section 5, one case a sentence, with its edges."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from services.registry.households.facts import Facts
from services.registry.lifecycle import rules
from services.registry.lifecycle.rules import Circumstances, Move, Ruling
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.registry import Category, State
from tests.registry.lifecycle.judged import (
    ALL_MET,
    ALLOWED,
    FILES,
    OPENED,
    TODAY,
    accepted,
    broken,
    check,
    faults,
    identified,
    lifted,
)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", Move)
def test_what_may_follow_what(state: State, move: Move) -> None:
    found = broken(FILES[state](), move, date(2027, 12, 1))

    assert found == ([] if (state, move) in ALLOWED else ["transition_forbidden"])


@pytest.mark.parametrize(
    ("on", "codes"),
    [
        (date(2026, 3, 19), ["before_episode", "lift_too_early"]),
        (date(2026, 3, 31), ["lift_too_early"]),
        (date(2026, 4, 30), ["lift_too_early"]),
        (date(2026, 5, 1), []),
        (date(2028, 1, 1), []),
        (date(2028, 1, 2), ["date_in_future"]),
    ],
)
def test_no_lift_in_the_month_of_identification_nor_the_next(on: date, codes: list[str]) -> None:
    assert broken(identified(), Move.LIFT, on) == codes


@pytest.mark.parametrize("kind", GuaranteeKind)
def test_any_red_guarantee_blocks_a_lift(kind: GuaranteeKind) -> None:
    guarantees = ALL_MET | {kind: False}

    found = broken(identified(), Move.LIFT, date(2026, 6, 1), guarantees=guarantees)

    assert found == ["guarantee_not_met"]


@pytest.mark.parametrize("kind", GuaranteeKind)
def test_a_guarantee_that_nobody_stated_blocks_a_lift(kind: GuaranteeKind) -> None:
    guarantees = {each: True for each in GuaranteeKind if each is not kind}

    (fault,) = faults(identified(), Move.LIFT, date(2026, 6, 1), guarantees=guarantees)

    assert fault.code == "guarantee_unknown"
    assert kind in fault.message


@pytest.mark.parametrize(
    ("on", "months", "codes"),
    [
        (date(2027, 5, 31), Decimal(12), ["tracking_not_over"]),
        (date(2027, 6, 1), Decimal(12), []),
        (date(2027, 6, 1), Decimal(36), ["tracking_not_over"]),
        (date(2027, 6, 1), None, ["parameter_missing"]),
        (date(2026, 5, 31), Decimal(12), ["before_episode", "tracking_not_over"]),
    ],
)
def test_a_lifted_household_exits_after_tracking(
    on: date, months: Decimal | None, codes: list[str]
) -> None:
    assert broken(lifted(), Move.EXIT, on, tracking_months=months) == codes


def test_nobody_is_struck_off_while_a_sign_of_risk_is_unanswered() -> None:
    over = {"tracking_months": Decimal(12), "return_checks": [UUID(int=31)]}
    assert broken(lifted(), Move.EXIT, date(2027, 6, 1), **over) == ["return_check_open"]


def test_the_missing_parameter_is_named() -> None:
    around = Circumstances(today=TODAY, officer_id="o1", opened_on=OPENED, newest_entry=OPENED)
    ruling = Ruling(move=Move.EXIT, decided_on=date(2027, 6, 1), reason="期满")

    (fault,) = rules.faults_of(rules.judge(lifted(), ruling, around))

    assert fault.where == "tracking.months.dibao"
    assert "tracking.months.dibao" in fault.message


@pytest.mark.parametrize(
    ("state", "move"),
    [
        (State.IDENTIFIED, Move.EXIT),
        (State.LIFTED, Move.EXIT),
        (State.LIFTED, Move.RETURN),
        (State.EXITED, Move.RETURN),
        (State.ACCEPTED, Move.REFUSE),
    ],
)
def test_these_need_a_reason_in_words(state: State, move: Move) -> None:
    found = broken(FILES[state](), move, date(2027, 12, 1), reason=" ")

    assert found == ["reason_missing"]


@pytest.mark.parametrize(("state", "move"), sorted(ALLOWED))
def test_a_person_signs_every_decision(state: State, move: Move) -> None:
    found = broken(FILES[state](), move, date(2027, 12, 1), officer_id=None)

    assert found == ["officer_missing"]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (accepted(category=None), "category_missing"),
        (accepted(members=()), "head_missing"),
        (accepted(head_person_id=UUID(int=9)), "head_missing"),
        (
            accepted(
                members=(accepted().members[0].model_copy(update={"counted": False}),),
            ),
            "nobody_counts",
        ),
    ],
)
def test_what_cannot_be_identified(facts: Facts, code: str) -> None:
    assert code in broken(facts, Move.IDENTIFY, date(2026, 2, 1))


def test_a_category_may_come_with_the_identification() -> None:
    facts = accepted(category=None)

    assert broken(facts, Move.IDENTIFY, date(2026, 2, 1), category=Category.TEKUN) == []
    ruling = Ruling(move=Move.IDENTIFY, decided_on=date(2026, 2, 1), category=Category.TEKUN)
    moved = rules.moved(facts, ruling)
    assert (moved.category, moved.state, moved.rule_set) == ("tekun", "identified", "CN2025")


def test_nothing_is_identified_before_its_file_was_opened() -> None:
    assert broken(accepted(), Move.IDENTIFY, date(2026, 1, 4)) == ["before_episode"]


def test_a_file_closes_with_its_ground_and_not_before_its_last_change() -> None:
    day = date(2026, 6, 1)

    assert broken(identified(), Move.CLOSE, day, ground=None) == ["ground_missing"]
    assert broken(identified(), Move.CLOSE, day, newest_entry=date(2026, 6, 2)) == [
        "later_facts_exist"
    ]


def test_every_broken_rule_is_listed() -> None:
    found = broken(
        identified(),
        Move.LIFT,
        date(2028, 2, 1),
        officer_id=None,
        guarantees={GuaranteeKind.HOUSING: False},
        checks=[check(date(2026, 4, 1), passed=False)],
        notice=None,
        today=date(2026, 4, 1),
    )

    assert found == [
        "officer_missing",
        "date_in_future",
        "guarantee_not_met",
        "guarantee_unknown",
        "income_check_failed",
        "income_checks_missing",
        "notice_missing",
    ]


def test_a_return_opens_the_next_episode_and_keeps_the_rest() -> None:
    kept = Ruling(move=Move.LIFT, decided_on=date(2026, 6, 1), keep_policy_until=date(2027, 6, 1))
    before = rules.moved(identified(), kept)

    after = rules.moved(before, Ruling(move=Move.RETURN, decided_on=date(2026, 9, 1)))

    assert before.keep_policy_until == date(2027, 6, 1)
    assert after.keep_policy_until is None
    assert after.members == before.members
    assert [(each.number, each.origin, each.lifted_on) for each in after.episodes] == [
        (1, "application", date(2026, 6, 1)),
        (2, "returned", None),
    ]
