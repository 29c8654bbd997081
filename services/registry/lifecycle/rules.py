"""The life cycle of a household file: what may follow what, and under which conditions (section 5).

accepted → identified → lifted → exited → returned, out of assistance for a written reason, closed
when nobody is left. Pure; every condition becomes a check that is stored with the decision. Only
guards that need no other service stand here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from services.registry.households.facts import Facts, LeaveReason
from services.registry.households.rules import identified, standing_faults, tidy
from shared import clock
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.registry import Category, HouseholdEvent, State
from shared.errors import Fault


class Move(StrEnum):
    """A decision that moves a file from one state to the next."""

    IDENTIFY = "identify"
    REFUSE = "refuse"
    LIFT = "lift"
    EXIT = "exit"
    RETURN = "return"
    CLOSE = "close"


_OPEN = frozenset(State) - {State.CLOSED}
FROM: Mapping[Move, frozenset[State]] = {
    Move.IDENTIFY: frozenset({State.ACCEPTED}),
    Move.REFUSE: frozenset({State.ACCEPTED}),
    Move.LIFT: frozenset({State.IDENTIFIED, State.RETURNED}),
    Move.EXIT: frozenset({State.IDENTIFIED, State.RETURNED, State.LIFTED}),
    Move.RETURN: frozenset({State.LIFTED, State.EXITED}),
    Move.CLOSE: _OPEN,
}
"""The states from which a move may be made."""

EVENTS: Mapping[Move, HouseholdEvent] = {
    Move.IDENTIFY: HouseholdEvent.IDENTIFIED,
    Move.REFUSE: HouseholdEvent.CLOSED,
    Move.LIFT: HouseholdEvent.LIFTED,
    Move.EXIT: HouseholdEvent.EXITED,
    Move.RETURN: HouseholdEvent.RETURNED,
    Move.CLOSE: HouseholdEvent.CLOSED,
}
"""What is told of a move. A refused file was never identified, so nobody is told of it."""

DONE: Mapping[Move, str] = {
    Move.IDENTIFY: "identified",
    Move.REFUSE: "refused",
    Move.LIFT: "lifted",
    Move.EXIT: "exited",
    Move.RETURN: "returned",
    Move.CLOSE: "closed",
}
"""How the audit log names a move that was made."""

REASONED = frozenset({Move.EXIT, Move.RETURN, Move.REFUSE})
"""Moves that need a reason in words."""

TRACKING_KEY = "tracking.months"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What an officer decides. ``ground`` says why nobody is left in a file that is closed."""

    move: Move
    decided_on: date
    reason: str = ""
    category: Category | None = None
    tags: tuple[Category, ...] | None = None
    keep_policy_until: date | None = None
    missing_evidence: tuple[str, ...] = ()
    ground: LeaveReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known beside the file: today, who signs, red guarantees, the tracking period."""

    today: date
    officer_id: str | None
    opened_on: date
    newest_entry: date
    unmet: Sequence[GuaranteeKind] = ()
    tracking_months: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a decision and whether it held."""

    code: str
    holds: bool
    where: str
    message: str

    def stored(self) -> dict[str, Any]:
        """What the decision keeps of it."""
        return {"code": self.code, "holds": self.holds}


def tracking_key(category: Category | None) -> str:
    """The parameter with the months of tracking after a lift: ``tracking.months.dibao``."""
    return f"{TRACKING_KEY}.{category}"


def judge(facts: Facts, ruling: Ruling, around: Circumstances) -> list[Check]:
    """Every condition of a move, those that hold too. ``facts`` are those of the decision's day.

    Example: identified on 2026-03-20. A lift dated 2026-04-30 fails ``lift_too_early`` (not in the
    month of identification nor the next); dated 2026-05-01 it passes unless a guarantee is red.
    """
    if facts.state not in FROM[ruling.move]:
        message = f"档案现为“{facts.state}”状态,不能办理此项决定"
        return [Check("transition_forbidden", holds=False, where="#", message=message)]
    checks = _always(facts, ruling, around)
    match ruling.move:
        case Move.IDENTIFY:
            checks += _identify(facts, ruling)
        case Move.LIFT:
            checks += _lift(facts, ruling, around)
        case Move.EXIT if facts.state is State.LIFTED:
            checks += _tracked(facts, ruling, around)
        case Move.CLOSE | Move.REFUSE:
            checks += _close(ruling, around)
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


def _always(facts: Facts, ruling: Ruling, around: Circumstances) -> list[Check]:
    day = ruling.decided_on
    return [
        Check("officer_missing", bool(around.officer_id), "#", "决定须由具名经办人作出"),
        Check("date_in_future", day <= around.today, "#/decided_on", "决定日期不能晚于今天"),
        Check(
            "before_episode",
            day >= _since(facts, around.opened_on),
            "#/decided_on",
            "决定日期不能早于本轮帮扶的上一步",
        ),
        Check(
            "reason_missing",
            ruling.move not in REASONED or bool(ruling.reason.strip()),
            "#/reason",
            "须以文字写明理由",
        ),
    ]


def _since(facts: Facts, opened_on: date) -> date:
    if not facts.episodes:
        return opened_on
    last = facts.episodes[-1]
    return max(day for day in (last.identified_on, last.lifted_on, last.exited_on) if day)


def _identify(facts: Facts, ruling: Ruling) -> list[Check]:
    category = ruling.category or facts.category
    standing = {fault.code for fault in standing_faults(facts)}
    return [
        Check("category_missing", category is not None, "#/category", "认定须确定困难类别"),
        Check("head_missing", "head_missing" not in standing, "#", "档案没有户主"),
        Check("nobody_counts", "nobody_counts" not in standing, "#", "家庭没有计入人口的成员"),
    ]


def _lift(facts: Facts, ruling: Ruling, around: Circumstances) -> list[Check]:
    began = facts.episodes[-1].identified_on
    earliest = clock.next_month(clock.next_month(began))
    red = "、".join(around.unmet)
    return [
        Check(
            "lift_too_early",
            ruling.decided_on >= earliest,
            "#/decided_on",
            f"认定当月和次月不能脱贫,最早为{earliest}",
        ),
        Check("guarantee_not_met", not around.unmet, "#", f"保障未落实:{red}"),
    ]


def _tracked(facts: Facts, ruling: Ruling, around: Circumstances) -> list[Check]:
    key = tracking_key(facts.category)
    if around.tracking_months is None:
        message = f"缺少已批准的参数{key},不能确定跟踪期"
        return [Check("parameter_missing", holds=False, where=key, message=message)]
    lifted_on = facts.episodes[-1].lifted_on or ruling.decided_on
    over = clock.add_months(lifted_on, int(around.tracking_months))
    return [
        Check(
            "tracking_not_over",
            ruling.decided_on >= over,
            "#/decided_on",
            f"跟踪期到{over}为止,期满方可销号",
        )
    ]


def _close(ruling: Ruling, around: Circumstances) -> list[Check]:
    refused = ruling.move is Move.REFUSE
    return [
        Check("ground_missing", refused or ruling.ground is not None, "#/ground", "须说明终止原因"),
        Check(
            "later_facts_exist",
            ruling.decided_on >= around.newest_entry,
            "#/decided_on",
            f"档案在{around.newest_entry}还有变更,终止日期不能更早",
        ),
    ]


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
