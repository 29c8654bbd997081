"""Writing notices and telling the registry: each change is one state, one version, one event."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices.models import Notice, Objection
from services.notify.notices.queries import Row
from services.notify.notices.rules import Answer, Refusal
from shared import audit, clock, events
from shared.auth import Caller
from shared.contracts import notices as contract
from shared.contracts.notices import NoticeEvent, NoticeOutcome, NoticeStatus
from shared.contracts.topics import NOTICES
from shared.db import among, driver_of

TYPES = {
    NoticeStatus.POSTED: NoticeEvent.PUBLISHED,
    NoticeStatus.OBJECTED: NoticeEvent.OBJECTED,
    NoticeStatus.CLOSED: NoticeEvent.CLOSED,
}


def changed(row: Row, **changes: Any) -> dict[str, Any]:
    """The row's next state to be published, its version raised by one."""
    return {**row, **changes, "version": row["version"] + 1}


def closed(row: Row, outcome: NoticeOutcome, on: date, **changes: Any) -> dict[str, Any]:
    """The row of a notice that ends on a day: nothing to be posted, nothing open any more."""
    return {
        **changed(row, **changes),
        "status": NoticeStatus.CLOSED.value,
        "outcome": outcome.value,
        "to_post": False,
        "objections_open": 0,
        "closed_on": on,
    }


def refused(row: Row, refusal: Refusal, on: date, *, rule: str | None = None) -> dict[str, Any]:
    """The row of a notice that is not posted, or not as it stands; ``rule`` says why."""
    unposted = {"content_encrypted": None, "posted_on": None, "last_day": None}
    said = {"refusal": refusal.value, "refusal_rule": rule}
    return closed(row, NoticeOutcome.REFUSED, on, **unposted, **said)


async def write(session: AsyncSession, rows: Sequence[Row]) -> None:
    """Store new states of notices that are locked. Nothing of it is published."""
    if rows:
        await session.execute(update(Notice), [dict(row) for row in rows])


async def add(session: AsyncSession, rows: Sequence[Row]) -> None:
    """Store notices that nobody has asked for before."""
    if rows:
        await session.execute(insert(Notice), [dict(row) for row in rows])


async def tell(session: AsyncSession, caller: Caller, action: str, rows: Sequence[Row]) -> None:
    """Note and publish states that are stored with their version raised; no rows, no word."""
    await audit.record_rows(
        session, caller, rows, action=action, subject_type="notice", subject="notice_id"
    )
    await events.publish(session, [_event(row) for row in rows])


async def lapse_objections(session: AsyncSession, notice_ids: Sequence[UUID]) -> None:
    """What is still objected to notices that have ended needs no answer any more."""
    still_open = (among(Objection.notice_id, notice_ids), Objection.outcome.is_(None))
    lapsed = {"outcome": Answer.LAPSED.value, "answered_at": clock.now()}
    await session.execute(update(Objection).where(*still_open).values(**lapsed))


async def follow_moves(session: AsyncSession, household_ids: Sequence[UUID]) -> None:
    """Notices go along with a household that moved, so that the officers of its place see them.

    What was printed stays as it hung: the sheet is kept as it was posted.
    """
    moved = await driver_of(session).fetch(_FOLLOW, household_ids)
    if moved:
        await move_objections(session, [row["notice_id"] for row in moved])


_FOLLOW = """
    UPDATE notices SET division_code = home.division_code FROM household_copy AS home
    WHERE notices.household_id = ANY ($1) AND notices.household_id = home.household_id
        AND notices.division_code <> home.division_code
    RETURNING notice_id
"""


async def move_objections(session: AsyncSession, notice_ids: Sequence[UUID]) -> None:
    """The objections to these notices lie where the notices do, so that their officers see them."""
    elsewhere = (
        among(Objection.notice_id, notice_ids),
        Objection.notice_id == Notice.notice_id,
        Objection.division_code != Notice.division_code,
    )
    await session.execute(
        update(Objection).where(*elsewhere).values(division_code=Notice.division_code)
    )


def _event(row: Row) -> events.NewEvent:
    return events.NewEvent(
        topic=NOTICES,
        type=TYPES[NoticeStatus(row["status"])],
        subject=row["notice_id"],
        version=row["version"],
        episode=row["episode"],
        payload=contract.Notice(
            notice_id=row["notice_id"],
            notice_request_id=row["notice_request_id"],
            household_id=row["household_id"],
            kind=row["kind"],
            division_code=row["division_code"],
            episode=row["episode"],
            status=row["status"],
            posted_on=row["posted_on"],
            last_day=row["last_day"],
            objections=row["objections_open"],
            outcome=row["outcome"],
            refusal=row["refusal"],
            closed_on=row["closed_on"],
        ),
    )
