"""Who may be placed, when a placement counts as employment, and when it is over (C45, C46, R30).

Facts and a day in, a decision with its reasons out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.employment.labour.ages import working_age
from services.employment.labour.rules import no_ability
from shared.clock import add_months
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import Member

FUND = "none"
"""A placement is no money: what is paid for it are subsidies of their own (R31)."""


class Kind(StrEnum):
    """The kinds of work that end zero employment (R30)."""

    CONTRACT = "contract"
    PUBLIC_WELFARE_JOB = "public_welfare_job"
    LICENSED_BUSINESS = "licensed_business"
    MIGRANT_WORK = "migrant_work"

    @property
    def programme(self) -> str:
        """Under which code the measure stands in the registry's aid ledger."""
        return "public_welfare_job" if self is Kind.PUBLIC_WELFARE_JOB else "job_placement"


class EndReason(StrEnum):
    """Why a placement ended. TERM_OVER is set by itself the day after its last agreed day."""

    TERM_OVER = "term_over"
    DISMISSED = "dismissed"
    RESIGNED = "resigned"
    BUSINESS_CLOSED = "business_closed"
    ILLNESS = "illness"
    RETIRED = "retired"
    MOVED_AWAY = "moved_away"
    DIED = "died"
    OTHER = "other"
    ENTERED_IN_ERROR = "entered_in_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """From which day until which last day, None for open, somebody has a job."""

    begins_on: date
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What changes in a placement by itself as days pass; the rest of it never does."""

    ended_on: date | None = None
    end_reason: EndReason | None = None
    published: AssistanceStatus | None = None
    turns_on: date | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that speaks against it; ``where`` points into the request's body."""

    where: str
    code: str
    message: str


def counts_from(kind: Kind, begins_on: date, migrant_months: int) -> date:
    """The day from which a placement makes its holder employed (R30).

    Migrant work after ``migrant_months`` months, every other kind at once. Example: migrant work
    from 2026-11-30 with 3 months -> 2027-02-28.
    """
    return add_months(begins_on, migrant_months) if kind is Kind.MIGRANT_WORK else begins_on


def refusals(member: Member | None, term: Term, today: date) -> list[Refusal]:
    """All that speaks against placing somebody for a term, in the order of the request.

    The national check: under 16 or enrolled in school nobody holds a job record. Nor does who is
    not able (R24), past working age, or no member of any file. ``from`` is not in the future.
    Example: placed from the day before the 16th birthday -> ``under_sixteen``.
    """
    found = [] if member is None else _about_person(member, term, today)
    if member is None:
        found.append(
            Refusal("#/person_id", "not_a_member", "the person is a member of no household here")
        )
    if term.begins_on > today:
        found.append(
            Refusal("#/from", "from_in_future", f"enter it once it has begun, today is {today}")
        )
    if term.until is not None and term.until < term.begins_on:
        found.append(Refusal("#/until", "until_before_from", "until is earlier than from"))
    return found


def _about_person(member: Member, term: Term, today: date) -> list[Refusal]:
    where = "#/person_id"
    age = working_age(member.sex, member.birth_date)
    found = []
    if term.begins_on < age.begins_on:
        found.append(
            Refusal(where, "under_sixteen", "nobody under 16 on the day from may hold a job record")
        )
    if today >= age.ends_on:
        found.append(Refusal(where, "past_working_age", "the person has reached retirement age"))
    ability = no_ability(member, today)
    if ability == "at_school":
        found.append(
            Refusal(
                where,
                "enrolled_in_school",
                "who is enrolled in school may hold no job record: correct the register first",
            )
        )
    elif ability is not None:
        found.append(Refusal(where, "not_able", f"the register says not able to work ({ability})"))
    return found


def ending_refusals(term: Term, ended_on: date, today: date) -> list[Refusal]:
    """All that speaks against ending a placement on a day, its first day without the job.

    Example: begun on 2026-05-04 and ended on 2026-05-03 -> ``ended_before_from``.
    """
    found = []
    if ended_on < term.begins_on:
        found.append(
            Refusal("#/ended_on", "ended_before_from", f"it began on {term.begins_on} only")
        )
    if ended_on > today:
        found.append(
            Refusal(
                "#/ended_on", "ended_in_future", f"enter it once it has ended, today is {today}"
            )
        )
    return found


def overlaps(term: Term, others: Sequence[tuple[date, date | None]]) -> bool:
    """Whether a term meets one of ``others`` (from, first day without): one at a time (R31).

    Example: a new one from 2026-06-01 beside one that ended on 2026-06-01 -> no.
    """
    ends_on = None if term.until is None else term.until + timedelta(days=1)
    return any(
        (other_end is None or term.begins_on < other_end) and (ends_on is None or begins < ends_on)
        for begins, other_end in others
    )


def stand(term: Term, counting_from: date, before: Standing, today: date) -> Standing:
    """How a placement stands ``today``: over or not, told to the registry or not, what comes next.

    It is over the day after its last agreed day. It is a measure granted from the day it counts;
    one that was told and proves never to have counted (entered in error, or ended before it
    counted) is told as reversed. Example: migrant work agreed for two months -> over, never told.
    """
    ended_on, reason = before.ended_on, before.end_reason
    day_after = None if term.until is None else term.until + timedelta(days=1)
    if ended_on is None and day_after is not None and day_after <= today:
        ended_on, reason = day_after, EndReason.TERM_OVER
    last = ended_on or day_after
    counts = reason is not EndReason.ENTERED_IN_ERROR and (last is None or last > counting_from)
    published = before.published
    if counts and counting_from <= today:
        published = AssistanceStatus.APPROVED
    elif published is not None:
        published = AssistanceStatus.REVERSED
    next_days = {counting_from if counts else None, day_after}
    ahead = [day for day in next_days if day is not None and day > today]
    return Standing(
        ended_on=ended_on,
        end_reason=reason,
        published=published,
        turns_on=None if ended_on else min(ahead, default=None),
    )
