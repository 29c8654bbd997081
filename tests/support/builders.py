"""Made-up households and people for tests: whole and valid, each test naming only what matters."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from shared.contracts.envelope import Envelope
from shared.contracts.registry import (
    SOURCE,
    Assets,
    Category,
    Episode,
    FactPeriod,
    HouseholdEvent,
    HouseholdState,
    Incomes,
    Member,
    Relation,
    RigidExpenses,
    RuleSet,
    Sex,
    State,
)
from shared.identity import new_id

VILLAGE = "331124100201"
IDENTIFIED_ON = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(*, born: date = date(1980, 5, 17), order: int = 1, area: str = "331124") -> str:
    """A valid ID number: an odd ``order`` is a man's, an even one a woman's."""
    body = f"{area}{born:%Y%m%d}{order:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def member(relation: Relation = Relation.HEAD, **facts: Any) -> Member:
    """A member born in 1980; any field of the contract may be named."""
    known = {"person_id": new_id(), "sex": Sex.MALE, "birth_date": date(1980, 5, 17)}
    return Member(relation=relation, **(known | facts))


def household(
    *, members: Sequence[Member] | None = None, wage: str = "6000", **facts: Any
) -> HouseholdState:
    """A dibao household of the given members (one by default) with this yearly wage income.

    ``periods``, ``episodes``, ``n`` and the head follow from the rest unless named.
    """
    people = tuple(members or [member()])
    known: dict[str, Any] = {
        "household_id": new_id(),
        "state": State.IDENTIFIED,
        "category": Category.DIBAO,
        "rule_set": RuleSet.CN2025,
        "effective_from": IDENTIFIED_ON,
        "division_code": VILLAGE,
        "head_person_id": people[0].person_id,
        "n": len(people),
        "incomes": Incomes(wage=Decimal(wage)),
        "rigid_expenses": RigidExpenses(),
        "assets": Assets(),
        "episodes": (Episode(number=1, origin="application", identified_on=IDENTIFIED_ON),),
        "members": people,
    } | facts
    known.setdefault("periods", (period(known),))
    return HouseholdState(**known)


def period(facts: dict[str, Any]) -> FactPeriod:
    """The one period of a household whose facts have not changed since ``effective_from``."""
    kept = ("state", "category", "n", "incomes", "keep_policy_until")
    return FactPeriod(
        valid_from=facts["effective_from"], **{name: facts.get(name) for name in kept}
    )


def household_event(
    state: HouseholdState,
    *,
    version: int = 1,
    type_: HouseholdEvent = HouseholdEvent.IDENTIFIED,
    **envelope: Any,
) -> Envelope:
    """The event that would carry this state."""
    known: dict[str, Any] = {
        "id": new_id(),
        "source": SOURCE,
        "type": str(type_),
        "subject": str(state.household_id),
        "time": NOON,
        "key": str(state.household_id),
        "aggregate_version": version,
        "correlation_id": str(new_id()),
        "data": state.model_dump_json().encode(),
        "episode": state.episodes[-1].number,
        "rule_set": str(state.rule_set),
        "effective_from": state.effective_from,
    }
    return Envelope(**(known | envelope))
