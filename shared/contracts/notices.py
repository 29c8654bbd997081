"""Public notices (公示) as a conversation: a service asks, notify posts and keeps the clock.

``bangfu.notice.requested.v1`` goes out on ``<service>.notices``; notify answers on
``notify.notices`` with the notice's whole state, and the asking service decides when it is closed
(C60). No name travels here: notify asks the registry for the one that must be printed.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Payload
from shared.contracts.registry import Category

SOURCE = "/notify"
NOTICE_REQUESTED = "bangfu.notice.requested.v1"


class NoticeEvent(StrEnum):
    """The types on ``notify.notices``; all carry a Notice."""

    PUBLISHED = "bangfu.notice.published.v1"
    OBJECTED = "bangfu.notice.objected.v1"
    CLOSED = "bangfu.notice.closed.v1"


class NoticeKind(StrEnum):
    """What is about to be decided."""

    IDENTIFICATION = "identification"
    LIFT = "lift"
    EXIT = "exit"
    TEMPORARY_ASSISTANCE = "temporary_assistance"


class NoticeStatus(StrEnum):
    """Where a notice stands. OBJECTED: at least one objection waits for its answer."""

    POSTED = "posted"
    OBJECTED = "objected"
    CLOSED = "closed"


class NoticeOutcome(StrEnum):
    """How a notice ended; a decision may follow on the first two only."""

    UNOPPOSED = "unopposed"
    OBJECTIONS_DISMISSED = "objections_dismissed"
    OBJECTION_UPHELD = "objection_upheld"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"

    @property
    def allows_decision(self) -> bool:
        """Whether what was announced may now be decided."""
        return self in {NoticeOutcome.UNOPPOSED, NoticeOutcome.OBJECTIONS_DISMISSED}


class NoticeRequest(Payload):
    """One notice that a service wants posted. ``notice_request_id`` is the aggregate.

    ``applicant_person_id`` is whose name is printed, an adult; None where the household has none,
    and then no name is. ``amount`` is yuan a month, where the notice states one; of temporary
    assistance it is the whole sum. ``category`` is None there, for whoever is helped once may be in
    none. ``withdrawn`` ends a notice before its time. A later version with other content starts the
    clock again.
    """

    TOPIC_KEY: ClassVar[str] = "household_id"

    notice_request_id: UUID
    household_id: UUID
    kind: NoticeKind
    division_code: str
    episode: int
    category: Category | None = None
    n: int
    amount: Decimal | None = None
    applicant_person_id: UUID | None = None
    applicant_birth_date: date | None = None
    requested_on: date
    withdrawn: bool = False


class Notice(Payload):
    """One notice as notify keeps it. ``notice_id`` is the aggregate.

    Posted on ``posted_on``, which does not count, it runs for full calendar days to the end of
    ``last_day``. ``refusal`` is a code and stands with the outcome ``refused``, for a notice that
    was never posted (``minor_named``).
    """

    TOPIC_KEY: ClassVar[str] = "household_id"

    notice_id: UUID
    notice_request_id: UUID
    household_id: UUID
    kind: NoticeKind
    division_code: str
    episode: int
    status: NoticeStatus
    posted_on: date | None = None
    last_day: date | None = None
    objections: int = 0
    outcome: NoticeOutcome | None = None
    refusal: str | None = None
    closed_on: date | None = None
