"""Recording what people object to a notice, and answering it: by two officers (C60; R29).

Both lock the notice first, so that its closing, another objection and another answer wait; the day
is read under that lock.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices import queries, sealed, writing
from services.notify.notices.models import Objection
from services.notify.notices.rules import (
    Answer,
    answer_fault,
    is_over,
    objection_fault,
    outcome_of,
)
from shared import audit, clock, identity
from shared.auth import Caller, officer_of
from shared.contracts.notices import NoticeOutcome, NoticeStatus
from shared.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody objects. ``objector`` is a name or 匿名; ``contact`` may be left out."""

    text: str
    objector: str
    contact: str | None = None


async def record_objection(
    session: AsyncSession, caller: Caller, notice_id: UUID, said: Said
) -> UUID:
    """Write down an objection for a citizen; the notice stays open until it is answered.

    Raises Forbidden without an officer, NotFound, Conflict (``notice_period_over``,
    ``notice_closed``, ``notice_not_posted``).
    """
    officer = officer_of(caller)
    notice = await held(session, caller, notice_id)
    fault = objection_fault(
        notice["status"],
        to_post=notice["to_post"],
        last_day=notice["last_day"],
        today=clock.today(),
    )
    if fault is not None:
        raise Conflict(*fault)
    objection_id = identity.new_id()
    row = {
        "objection_id": objection_id,
        "notice_id": notice_id,
        "division_code": notice["division_code"],
        "text_encrypted": sealed.seal(said.text),
        "objector_encrypted": sealed.seal(said.objector),
        "contact_encrypted": sealed.seal(said.contact) if said.contact else None,
        "recorded_by": officer,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(Objection), [row])
    objected = writing.changed(
        notice,
        status=NoticeStatus.OBJECTED.value,
        objections_open=notice["objections_open"] + 1,
    )
    await writing.write(session, [objected])
    await writing.tell(session, caller, "notice.objected", [objected])
    return objection_id


async def answer_objection(
    session: AsyncSession,
    caller: Caller,
    notice_id: UUID,
    objection_id: UUID,
    *,
    answer: Answer,
    reason: str,
) -> None:
    """Dismiss an objection or uphold it, which ends its notice at once.

    The last one dismissed lets the notice run on, or closes it if its days are full. Raises
    Forbidden without an officer, NotFound, Conflict (``objection_answered``, ``notice_closed``,
    ``same_officer``).
    """
    officer = officer_of(caller)
    notice = await held(session, caller, notice_id)
    objection = await queries.objection_by_id(session, notice_id, objection_id, caller.divisions)
    if objection is None:
        raise NotFound("objection_unknown", f"公示{notice_id}没有编号为{objection_id}的异议")
    fault = answer_fault(
        notice["status"],
        answered=objection["outcome"] is not None,
        recorded_by=objection["recorded_by"],
        officer=officer,
    )
    if fault is not None:
        raise Conflict(*fault)
    answered = {
        "outcome": answer.value,
        "reason_encrypted": sealed.seal(reason),
        "answered_by": officer,
        "answered_at": clock.now(),
    }
    theirs = Objection.objection_id == objection_id
    await session.execute(update(Objection).where(theirs).values(**answered))
    await _follow(session, caller, notice, answer)
    await audit.record(
        session,
        caller,
        action=f"objection.{answer}",
        subject_type="objection",
        subject_id=objection_id,
        division_code=objection["division_code"],
    )


async def held(session: AsyncSession, caller: Caller, notice_id: UUID) -> RowMapping:
    """The notice, locked. Raises NotFound where the caller may see none."""
    notice = await queries.notice_by_id(session, notice_id, caller.divisions, lock=True)
    if notice is None:
        raise NotFound("notice_unknown", f"没有编号为{notice_id}的公示")
    return notice


async def _follow(
    session: AsyncSession, caller: Caller, notice: RowMapping, answer: Answer
) -> None:
    """The notice after one of its objections was answered."""
    row = _after(notice, answer)
    await writing.write(session, [row])
    if row["status"] == NoticeStatus.CLOSED:
        await writing.lapse_objections(session, [row["notice_id"]])
    done = "closed" if row["status"] == NoticeStatus.CLOSED else "answered"
    await writing.tell(session, caller, f"notice.{done}", [row])


def _after(notice: RowMapping, answer: Answer) -> dict[str, Any]:
    today = clock.today()
    if answer is Answer.UPHELD:
        return writing.closed(notice, NoticeOutcome.OBJECTION_UPHELD, today)
    left = notice["objections_open"] - 1
    dismissed = notice["objections_dismissed"] + 1
    over = is_over(last_day=notice["last_day"], to_post=notice["to_post"], today=today)
    if over and not left:
        return writing.closed(notice, outcome_of(dismissed), today, objections_dismissed=dismissed)
    status = NoticeStatus.OBJECTED if left else NoticeStatus.POSTED
    return writing.changed(
        notice, status=status.value, objections_open=left, objections_dismissed=dismissed
    )
