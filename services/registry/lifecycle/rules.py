"""The life cycle of a household file: what may follow what, and under which conditions (section 5).

accepted → identified → lifted → exited → returned, out of assistance for a written reason, closed
when nobody is left. Pure; every condition becomes a check that is stored with the decision.
"""

from collections.abc import Sequence
from typing import Any

from services.registry.households.facts import Facts
from services.registry.households.rules import identified, tidy
from services.registry.lifecycle import conditions
from services.registry.lifecycle.ruling import (
    ANNOUNCED,
    APPLIED_FOR,
    BETWEEN_CHECKS,
    DONE,
    EVENTS,
    FROM,
    Check,
    Circumstances,
    Move,
    Ruling,
    tracking_key,
)
from shared.contracts.registry import State
from shared.errors import Fault

__all__ = [
    "ANNOUNCED",
    "APPLIED_FOR",
    "BETWEEN_CHECKS",
    "DONE",
    "EVENTS",
    "FROM",
    "Check",
    "Circumstances",
    "Move",
    "Ruling",
    "faults_of",
    "judge",
    "moved",
    "tracking_key",
]


def judge(facts: Facts, ruling: Ruling, around: Circumstances) -> list[Check]:
    """Every condition of a move, those that hold too. ``facts`` are those of the decision's day.

    Example: identified on 2026-03-20. A lift dated 2026-04-30 fails ``lift_too_early`` (not in the
    month of identification nor the next), and lists what else is missing.
    """
    if facts.state not in FROM[ruling.move]:
        message = f"档案现为“{facts.state}”状态,不能办理此项决定"
        return [Check("transition_forbidden", holds=False, where="#", message=message)]
    checks = conditions.always(facts, ruling, around)
    match ruling.move:
        case Move.IDENTIFY:
            checks += conditions.identify(facts, ruling, around)
        case Move.LIFT:
            checks += conditions.lift(facts, ruling, around)
        case Move.EXIT if facts.state is State.LIFTED:
            checks += conditions.tracked(facts, ruling, around)
        case Move.EXIT:
            checks += conditions.announced(facts, ruling, around)
        case Move.RETURN:
            checks += conditions.take_back(ruling, around)
        case Move.CLOSE | Move.REFUSE:
            checks += conditions.close(ruling, around)
    return checks


def faults_of(checks: Sequence[Check]) -> list[Fault]:
    """The checks that did not hold, as faults."""
    return [Fault(check.where, check.code, check.message) for check in checks if not check.holds]


def moved(facts: Facts, ruling: Ruling) -> Facts:
    """The facts from the day of the decision on.

    A return opens the next episode of the same file with the same members: nothing is typed again.
    """
    match ruling.move:
        case Move.IDENTIFY:
            return identified(
                _categorised(facts, ruling), on=ruling.decided_on, origin="application"
            )
        case Move.RETURN:
            again = _categorised(facts, ruling)
            return identified(again, on=ruling.decided_on, origin="returned", state=State.RETURNED)
        case Move.LIFT:
            return _ended(facts, ruling, State.LIFTED, "lifted_on")
        case Move.EXIT:
            return _ended(facts, ruling, State.EXITED, "exited_on")
        case Move.CLOSE | Move.REFUSE:
            # Nobody stands in a closed file, so that its people may be taken in elsewhere.
            return facts.model_copy(update={"state": State.CLOSED, "members": ()})


def _categorised(facts: Facts, ruling: Ruling) -> Facts:
    update: dict[str, Any] = {}
    if ruling.category is not None:
        update["category"] = ruling.category
    if ruling.tags is not None:
        update["tags"] = ruling.tags
    return tidy(facts.model_copy(update=update))


def _ended(facts: Facts, ruling: Ruling, state: State, day: str) -> Facts:
    *earlier, last = facts.episodes
    ended = last.model_copy(update={day: ruling.decided_on})
    kept = ruling.keep_policy_until or facts.keep_policy_until
    return facts.model_copy(
        update={"state": state, "episodes": (*earlier, ended), "keep_policy_until": kept}
    )
