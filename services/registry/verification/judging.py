"""What a question becomes by what its source said, and when it is asked again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.registry.verification.answers import MALFORMED, WrongAnswerError, read_answer
from services.registry.verification.sources import ItemState, Source

NOT_LIVE = "authorization_not_live"
STOPPED = "review_stopped"
NO_NUMBER = "id_number_missing"
UNREACHABLE = "source_unreachable"
ANOTHER_PERSON = "answer_for_another_person"

_FIRST_PAUSE = timedelta(seconds=15)
_LONGEST_PAUSE = timedelta(hours=6)
_MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as it stands: whose, where, since when, how often it was tried."""

    household_id: UUID
    verification_id: UUID
    subject_id: UUID
    source: Source
    id_number: str | None
    requested_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a question; ``due_at`` is when it is looked at again, None: never."""

    asked: Asked
    state: ItemState
    failure: str | None = None
    due_at: datetime | None = None
    attempts: int = 0
    answer: Mapping[str, Any] | None = None


def pause(attempts: int) -> timedelta:
    """How long to wait after so many tries: 15 s, 30 s, a minute …, six hours at most."""
    doublings: int = 2 ** min(attempts, _MOST_DOUBLINGS)
    return min(_FIRST_PAUSE * doublings, _LONGEST_PAUSE)


def failed(asked: Asked, code: str) -> Verdict:
    """The question is given up, and ``code`` says why."""
    return Verdict(asked=asked, state=ItemState.FAILED, failure=code, attempts=asked.attempts)


def sent(asked: Asked, *, now: datetime) -> Verdict:
    """The source has taken it; its answer may be there at once."""
    return Verdict(asked=asked, state=ItemState.SENT, due_at=now)


def put_off(
    asked: Asked, state: ItemState, *, now: datetime, patience: timedelta, failure: str | None
) -> Verdict:
    """Still nothing: asked again after a growing pause, ``not_returned`` once patience ends.

    Example: a patience of 72 hours; asked at 08:00 on the 1st it is given up at the first try
    that finds nothing from 08:00 on the 4th on.
    """
    if now - asked.requested_at >= patience:
        return Verdict(
            asked=asked,
            state=ItemState.NOT_RETURNED,
            failure=failure,
            attempts=asked.attempts + 1,
        )
    return Verdict(
        asked=asked,
        state=state,
        failure=failure,
        due_at=now + pause(asked.attempts),
        attempts=asked.attempts + 1,
    )


def judged(
    asked: Asked, said: Mapping[str, Any] | None, *, now: datetime, today: date, patience: timedelta
) -> Verdict:
    """What becomes of a question that was sent, by what its source says of it (None: nothing).

    ``answered`` and ``nothing_found`` must name the person who was asked about; ``by_file`` comes
    with next month's file, so the question is ``not_returned`` meanwhile.
    """
    status = "pending" if said is None else said.get("status")
    if said is None or status == "pending":
        return put_off(asked, ItemState.SENT, now=now, patience=patience, failure=None)
    if status == "by_file":
        return Verdict(asked=asked, state=ItemState.NOT_RETURNED, attempts=asked.attempts)
    return answered(asked, said, today=today)


def answered(asked: Asked, said: Mapping[str, Any], *, today: date) -> Verdict:
    """What becomes of a question by an answer that came, in a poll or in a late file."""
    status = said.get("status")
    if said.get("id_number") != asked.id_number:
        return failed(asked, ANOTHER_PERSON)
    if status == "nothing_found":
        return Verdict(asked=asked, state=ItemState.NOTHING_FOUND, attempts=asked.attempts)
    if status != "answered":
        return failed(asked, MALFORMED)
    try:
        answer = read_answer(asked.source, said.get("data"), today=today)
    except WrongAnswerError as wrong:
        return failed(asked, wrong.code)
    return Verdict(
        asked=asked,
        state=ItemState.ANSWERED,
        attempts=asked.attempts,
        answer=answer.model_dump(mode="json"),
    )
