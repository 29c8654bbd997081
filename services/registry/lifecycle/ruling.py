"""What a decision on a household file is: its move, its terms, what it is judged with (section 5).

Pure values; ``rules`` judges with them and ``actions`` fills them in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.registry.checks.rules import PastCheck
from services.registry.households.facts import LeaveReason
from services.registry.notices.rules import Announcement
from services.registry.plans.measures import MeasureKind
from shared.contracts.assistance import GuaranteeKind
from shared.contracts.notices import NoticeKind
from shared.contracts.registry import Category, HouseholdEvent, State


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

ANNOUNCED: Mapping[Move, NoticeKind] = {
    Move.IDENTIFY: NoticeKind.IDENTIFICATION,
    Move.LIFT: NoticeKind.LIFT,
    Move.EXIT: NoticeKind.EXIT,
}
"""Moves that a public notice goes before; an exit after tracking was announced with the lift."""

APPLIED_FOR = frozenset({Move.IDENTIFY, Move.REFUSE, Move.CLOSE})
"""Moves that an application in progress stands in the way of, unless it asks for them itself."""

TRACKING_KEY = "tracking.months"
BETWEEN_CHECKS = "lift.months_between_checks"
"""The parameter with the months that must lie between the two checks of a lift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What an officer decides. ``ground`` says why nobody is left in a file that is closed.

    ``return_check_id`` names the return check that a return rests on, ``application_id`` the
    application that an identification answers.
    """

    move: Move
    decided_on: date
    reason: str = ""
    category: Category | None = None
    tags: tuple[Category, ...] | None = None
    keep_policy_until: date | None = None
    missing_evidence: tuple[str, ...] = ()
    ground: LeaveReason | None = None
    return_check_id: UUID | None = None
    application_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known beside the file: today, who signs, and what the move is judged with.

    ``notice`` is the last one asked for of the move's kind and episode. ``guarantees`` says of each
    kind whether all who stated it say met; a kind that nobody stated is not in it. ``checks`` are
    the income checks of the episode, ``return_checks`` the open ones of the household,
    ``application`` the one of it that has not ended, ``measures`` what was done for it by kind.
    """

    today: date
    officer_id: str | None
    opened_on: date
    newest_entry: date
    notice: Announcement | None = None
    guarantees: Mapping[GuaranteeKind, bool] = field(default_factory=dict)
    checks: Sequence[PastCheck] = ()
    months_between: Decimal | None = None
    return_checks: Sequence[UUID] = ()
    tracking_months: Decimal | None = None
    application: UUID | None = None
    measures: frozenset[MeasureKind] = frozenset()


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a decision and whether it held; ``rests_on`` names its papers by id."""

    code: str
    holds: bool
    where: str
    message: str
    rests_on: tuple[UUID, ...] = ()

    def stored(self) -> dict[str, Any]:
        """What the decision keeps of it."""
        kept: dict[str, Any] = {"code": self.code, "holds": self.holds}
        return kept | ({"rests_on": [str(each) for each in self.rests_on]} if self.rests_on else {})


def tracking_key(category: Category | None) -> str:
    """The parameter with the months of tracking after a lift: ``tracking.months.dibao``."""
    return f"{TRACKING_KEY}.{category}"
