"""When a public notice may be asked for, whose name it prints, and when it allows a decision.

C4, C25 and C60: seven full days of notice stand before every identification, lift and exit from
assistance (R29). Pure; notify keeps the clock and the objections, the registry only reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from services.registry.households.facts import Facts
from services.registry.households.rules import fault, standing_faults
from shared import clock
from shared.contracts.notices import NoticeKind, NoticeOutcome, NoticeStatus
from shared.contracts.registry import Category, Member, State
from shared.errors import Fault

ADULT_MONTHS = 18 * 12
"""Majority (Civil Code art. 17): nobody younger is ever named in public (N21 24)."""

ASKED_FROM: Mapping[NoticeKind, frozenset[State]] = {
    NoticeKind.IDENTIFICATION: frozenset({State.ACCEPTED}),
    NoticeKind.LIFT: frozenset({State.IDENTIFIED, State.RETURNED}),
    NoticeKind.EXIT: frozenset({State.IDENTIFIED, State.RETURNED}),
}
"""The states in which what a notice announces may be decided; other kinds are others' own."""

NO_NOTICE = frozenset({NoticeOutcome.WITHDRAWN, NoticeOutcome.REFUSED})
"""Ends of a notice after which nothing has been announced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The notice an officer asks for. ``amount`` is yuan a month, where the notice states one."""

    kind: NoticeKind
    category: Category | None = None
    amount: Decimal | None = None
    applicant_person_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A request with what came of it; ``status`` is None until notify has said anything.

    ``n`` and ``announced_in``: how many people it prints, and the village whose board it is for.
    """

    notice_request_id: UUID
    kind: NoticeKind
    episode: int
    category: Category
    n: int
    announced_in: str
    withdrawn: bool = False
    status: NoticeStatus | None = None
    outcome: NoticeOutcome | None = None
    refusal: str | None = None
    posted_on: date | None = None
    last_day: date | None = None
    closed_on: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether the notice still runs, or waits to be posted."""
        return not self.withdrawn and self.status is not NoticeStatus.CLOSED

    @property
    def decidable_from(self) -> date | None:
        """The first day on which a decision may follow, as far as it is known by now.

        Example: posted on 26 October for 7 days, last day 2 November: 3 November (R29), and later
        where an objection was answered later.
        """
        return decidable_from(self.last_day, self.closed_on)


def decidable_from(last_day: date | None, closed_on: date | None) -> date | None:
    """The first day after a notice's ``last_day``, and not before it was closed."""
    after = last_day + timedelta(days=1) if last_day else None
    return max((day for day in (after, closed_on) if day), default=None)


def episode_of(kind: NoticeKind, facts: Facts) -> int:
    """The episode a notice is for: the coming one of an identification, else the running one."""
    return len(facts.episodes) + (kind is NoticeKind.IDENTIFICATION)


def wish_faults(facts: Facts, wish: Wish, *, on: date) -> list[Fault]:
    """All that speaks against a notice. Example: a lift notice of an accepted file, refused."""
    if wish.kind not in ASKED_FROM:
        message = "此类公示由其他部门发起,档案不办理"
        return [fault("kind", "notice_kind_foreign", message)]
    if facts.state not in ASKED_FROM[wish.kind]:
        message = f"档案现为“{facts.state}”状态,不能发起此项公示"
        return [fault("kind", "transition_forbidden", message)]
    faults = standing_faults(facts)
    if category_of(facts, wish) is None:
        faults.append(fault("category", "category_missing", "公示须写明困难类别"))
    if wish.kind is not NoticeKind.IDENTIFICATION and wish.category not in {None, facts.category}:
        message = "脱贫和退出公示按档案类别办理,不能另填类别"
        faults.append(fault("category", "category_not_asked", message))
    return faults + _applicant_faults(facts, wish, on)


def category_of(facts: Facts, wish: Wish) -> Category | None:
    """The category that the notice states: the one asked for, else the file's."""
    return wish.category or facts.category


def applicant(facts: Facts, wish: Wish, *, on: date) -> Member | None:
    """Whose name the notice prints; None where the household has no adult (N21 24).

    The one named, else the head, else the oldest adult. Example: an orphan of 12 with a sister of
    19: the sister; two orphans of 12 and 9: nobody.
    """
    if wish.applicant_person_id is not None:
        return facts.member(wish.applicant_person_id)
    adults = [member for member in facts.members if is_adult(member, on)]
    adults.sort(key=lambda member: (member.person_id != facts.head_person_id, member.birth_date))
    return adults[0] if adults else None


def is_adult(member: Member, on: date) -> bool:
    """Whether a member has turned 18 by a day. Example: born 2008-05-17, adult on 2026-05-17."""
    return clock.add_months(member.birth_date, ADULT_MONTHS) <= on


def _applicant_faults(facts: Facts, wish: Wish, on: date) -> list[Fault]:
    if wish.applicant_person_id is None:
        return []
    named, where = facts.member(wish.applicant_person_id), "applicant_person_id"
    if named is None:
        return [fault(where, "applicant_unknown", "申请人不是本户现有成员")]
    if not is_adult(named, on):
        return [fault(where, "applicant_minor", "公示不得出现未成年人姓名,请改填成年成员")]
    return []
