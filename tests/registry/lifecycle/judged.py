"""Files in every state, and a decision judged on them: what the tables of the life cycle share."""

from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.registry.checks.rules import PastCheck
from services.registry.households import rules as household_rules
from services.registry.households.facts import Facts, LeaveReason
from services.registry.lifecycle import rules
from services.registry.lifecycle.rules import Circumstances, Move, Ruling
from services.registry.notices.rules import Announcement
from shared import clock
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.notices import NoticeKind, NoticeOutcome, NoticeStatus
from shared.contracts.registry import Category, Member, Relation, Sex, State
from shared.errors import Fault

HEAD = UUID(int=1)
OPENED = date(2026, 1, 5)
IDENTIFIED = date(2026, 3, 20)
TODAY = date(2028, 1, 1)


def accepted(**given: Any) -> Facts:
    known: dict[str, Any] = {
        "category": Category.DIBAO,
        "division_code": "331124002221",
        "head_person_id": HEAD,
        "members": (
            Member(
                person_id=HEAD,
                relation=Relation.HEAD,
                sex=Sex.MALE,
                birth_date=date(1980, 1, 1),
            ),
        ),
    }
    return Facts(**(known | given))


def identified(**given: Any) -> Facts:
    return household_rules.identified(accepted(**given), on=IDENTIFIED, origin="application")


def lifted(on: date = date(2026, 6, 1)) -> Facts:
    return rules.moved(identified(), Ruling(move=Move.LIFT, decided_on=on))


def exited() -> Facts:
    return rules.moved(identified(), Ruling(move=Move.EXIT, decided_on=date(2026, 6, 1)))


def returned() -> Facts:
    return rules.moved(lifted(), Ruling(move=Move.RETURN, decided_on=date(2026, 9, 1)))


def closed() -> Facts:
    return rules.moved(identified(), Ruling(move=Move.CLOSE, decided_on=date(2026, 6, 1)))


FILES = {
    State.ACCEPTED: accepted,
    State.IDENTIFIED: identified,
    State.LIFTED: lifted,
    State.EXITED: exited,
    State.RETURNED: returned,
    State.CLOSED: closed,
}


CIRCUMSTANCES = {each.name for each in fields(Circumstances)}
ALL_MET = dict.fromkeys(GuaranteeKind, True)
SURVEYOR = "o7"


def notice(on: date, **given: Any) -> Announcement:
    """A notice that ran its seven days unopposed and lets ``on`` be decided, and no day earlier."""
    known: dict[str, Any] = {
        "notice_request_id": UUID(int=11),
        "kind": NoticeKind.LIFT,
        "episode": 1,
        "category": Category.DIBAO,
        "n": 1,
        "announced_in": "331124002221",
        "status": NoticeStatus.CLOSED,
        "outcome": NoticeOutcome.UNOPPOSED,
        "posted_on": on - timedelta(days=8),
        "last_day": on - timedelta(days=1),
        "closed_on": on,
    }
    return Announcement(**(known | given))


def check(on: date, *, passed: bool = True, officer: str = SURVEYOR, at: int = 21) -> PastCheck:
    return PastCheck(check_id=UUID(int=at), checked_on=on, passed=passed, officer_id=officer)


def two_checks(before: date) -> list[PastCheck]:
    """Two that passed half a year apart, the second on the day its notice was posted."""
    second = before - timedelta(days=8)
    return [check(clock.add_months(second, -6)), check(second, at=22)]


def faults(facts: Facts, move: Move, on: date, **more: Any) -> list[Fault]:
    """The rules that a decision breaks; all that is not named speaks for it."""
    around = {name: more.pop(name) for name in CIRCUMSTANCES & more.keys()}
    known: dict[str, Any] = {
        "today": TODAY,
        "officer_id": "o1",
        "opened_on": OPENED,
        "newest_entry": OPENED,
        "tracking_months": Decimal(12),
        "notice": notice(on, category=more.get("category") or facts.category or Category.DIBAO),
        "guarantees": ALL_MET,
        "checks": two_checks(on),
        "months_between": Decimal(6),
    }
    given = {"reason": "理由", "ground": LeaveReason.DIED} | more
    ruling = Ruling(move=move, decided_on=on, **given)
    return rules.faults_of(rules.judge(facts, ruling, Circumstances(**(known | around))))


def broken(facts: Facts, move: Move, on: date, **more: Any) -> list[str]:
    """Their codes."""
    return [fault.code for fault in faults(facts, move, on, **more)]


ALLOWED = {
    (State.ACCEPTED, Move.IDENTIFY),
    (State.ACCEPTED, Move.REFUSE),
    (State.IDENTIFIED, Move.LIFT),
    (State.IDENTIFIED, Move.EXIT),
    (State.LIFTED, Move.EXIT),
    (State.LIFTED, Move.RETURN),
    (State.EXITED, Move.RETURN),
    (State.RETURNED, Move.LIFT),
    (State.RETURNED, Move.EXIT),
    *((state, Move.CLOSE) for state in State if state is not State.CLOSED),
}
