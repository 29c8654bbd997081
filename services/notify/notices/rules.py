"""What becomes of a request, an objection and a notice whose days are over (C60; R29).

Pure. A notice runs for full calendar days after the day of posting, other content starts its clock
again, and nothing but an objection upheld or a withdrawal ends it before.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from math import ceil
from uuid import UUID

from shared.contracts.notices import NoticeKind, NoticeOutcome, NoticeRequest, NoticeStatus
from shared.contracts.registry import Category
from shared.money import yuan

LEAST_DAYS = 7
"""The days a notice must run, whatever a parameter says: 浙江省社会救助条例 art. 11, N12 art. 25,
N21 art. 19 (R29). Also what holds where a division has no parameter ``notice.days``."""

DAYS_KEY = "notice.days"
"""The parameter with the days of a notice, at least LEAST_DAYS."""

ADULT_YEARS = 18
"""Who is younger is never named (ZJ 55; civil code art. 17)."""

WAITING = "waiting"
"""Asked for and never posted yet; published states begin with the posting."""


class Refusal(StrEnum):
    """Why a notice is not posted."""

    MINOR_NAMED = "minor_named"
    APPLICANT_AGE_UNKNOWN = "applicant_age_unknown"
    APPLICANT_UNKNOWN = "applicant_unknown"
    DIVISION_UNKNOWN = "division_unknown"
    MEMBERS_MISSING = "members_missing"
    CONTENT_FORBIDDEN = "content_forbidden"


class Step(StrEnum):
    """What a request asks to be done with the notice as it stands."""

    NOTHING = "nothing"
    POST = "post"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


class Answer(StrEnum):
    """What an objection came to; LAPSED when its notice ended otherwise first."""

    DISMISSED = "dismissed"
    UPHELD = "upheld"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a notice says; two requests that agree in it ask for the same notice."""

    kind: NoticeKind
    division_code: str
    category: Category | None
    n: int
    amount: Decimal | None
    applicant_person_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of the notice of a request already, before the request's newest version."""

    request_version: int
    content: Content
    status: str
    outcome: str | None = None
    refusal: str | None = None


def content_of(request: NoticeRequest) -> Content:
    """What the notice of a request would say."""
    return Content(
        kind=request.kind,
        division_code=request.division_code,
        category=request.category,
        n=request.n,
        amount=None if request.amount is None else yuan(request.amount),
        applicant_person_id=request.applicant_person_id,
    )


def refusal_of(request: NoticeRequest, *, division_known: bool, today: date) -> Refusal | None:
    """Why a request cannot be posted on ``today``; None where it can.

    Example: an applicant born 2008-11-25 is ``minor_named`` on 2026-11-24 and of age on the 25th.
    With no applicant nobody is named, whatever the ages.
    """
    if request.applicant_person_id is not None:
        if request.applicant_birth_date is None:
            return Refusal.APPLICANT_AGE_UNKNOWN
        if is_minor(request.applicant_birth_date, today):
            return Refusal.MINOR_NAMED
    if not division_known:
        return Refusal.DIVISION_UNKNOWN
    if request.n < 1:
        return Refusal.MEMBERS_MISSING
    return None


def is_minor(born: date, on: date) -> bool:
    """Whether who was born on ``born`` is under 18 on a day; the birthday itself is of age.

    Born 2008-02-29, of age on 2026-03-01: in a year without that day, the day after it.
    """
    return (on.year - born.year) - ((on.month, on.day) < (born.month, born.day)) < ADULT_YEARS


def step(
    standing: Standing | None, request: NoticeRequest, version: int, refusal: Refusal | None
) -> Step:
    """What a request's ``version`` sets off; the same or an older version never anything.

    Content that was posted, or waits for it, is not posted again. A closed notice is posted anew
    for other content only, or once what it was refused or withdrawn for is gone. Example: n = 3
    posted, then n = 4 requested -> POST, and the clock starts again; n = 3 again -> NOTHING.
    """
    if standing is not None and version <= standing.request_version:
        return Step.NOTHING
    if request.withdrawn:
        closed = standing is not None and standing.status == NoticeStatus.CLOSED
        return Step.NOTHING if closed else Step.WITHDRAW
    if refusal is not None:
        known = standing is not None and standing.refusal == refusal
        return Step.NOTHING if known else Step.REFUSE
    if standing is None or standing.content != content_of(request):
        return Step.POST
    again = {NoticeOutcome.REFUSED, NoticeOutcome.WITHDRAWN}
    return Step.POST if standing.outcome in again else Step.NOTHING


def days_of(parameter: Decimal | None) -> int:
    """The full days a notice runs: the parameter's, never fewer than the law's seven.

    Without a parameter the seven hold; part of a day counts as one. Examples: None -> 7, 10 -> 10,
    5 -> 7, 7.5 -> 8.
    """
    return LEAST_DAYS if parameter is None else max(LEAST_DAYS, ceil(parameter))


def objection_fault(
    status: str, *, to_post: bool, last_day: date | None, today: date
) -> tuple[str, str] | None:
    """Why nobody can object to a notice today, as code and text; None where they can.

    Until the end of the last day, and while it is being posted anew. Example: last day 2026-11-02:
    on that day yes, on 2026-11-03 ``notice_period_over``.
    """
    if status == NoticeStatus.CLOSED:
        return "notice_closed", "该公示已结束，不再受理异议"
    if last_day is None:
        return "notice_not_posted", "该公示尚未张贴，张贴后方可提出异议"
    if not to_post and today > last_day:
        return "notice_period_over", f"公示期已于{last_day}届满，可另行向民政部门反映"
    return None


def answer_fault(
    status: str, *, answered: bool, recorded_by: str, officer: str
) -> tuple[str, str] | None:
    """Why an officer cannot answer an objection, as code and text; None where he can.

    Two people: who recorded an objection does not answer it (R29, split of roles).
    """
    if answered:
        return "objection_answered", "该异议已有处理结果"
    if status == NoticeStatus.CLOSED:
        return "notice_closed", "该公示已结束"
    if recorded_by == officer:
        return "same_officer", "登记异议的经办人不能处理该异议，请由其他经办人处理"
    return None


def is_over(*, last_day: date | None, to_post: bool, today: date) -> bool:
    """Whether a notice's days are full, so that it closes as soon as no objection is open.

    Example: last day 2026-11-02 -> over from 2026-11-03; never while it is to be posted anew.
    """
    return last_day is not None and not to_post and today > last_day


def outcome_of(objections_dismissed: int) -> NoticeOutcome:
    """How a notice ends whose days are full and which no objection holds open."""
    if objections_dismissed:
        return NoticeOutcome.OBJECTIONS_DISMISSED
    return NoticeOutcome.UNOPPOSED
