"""Asking for the public notice of an ordinary case, and keeping what notify says of it (C60, R23).

A request is published under its application's lock; what notify says publishes nothing.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.temporary import residents
from services.relief.temporary.models import Notice as NoticeRow
from shared import clock, events, identity
from shared.contracts.notices import NOTICE_REQUESTED, Notice, NoticeKind, NoticeRequest
from shared.contracts.topics import RELIEF_NOTICES
from shared.db import among

KIND = NoticeKind.TEMPORARY_ASSISTANCE


class UnknownRequestError(LookupError):
    """Notify speaks of a request that relief never made: it must be parked."""


async def request(
    session: AsyncSession, application: RowMapping, factor: Decimal, amount: Decimal
) -> None:
    """Ask for the notice of an application that the transaction holds; ``amount`` in yuan."""
    row = {
        "notice_request_id": identity.new_id(),
        "application_id": application["application_id"],
        "household_id": application["household_id"],
        "division_code": application["division_code"],
        "factor": factor,
        "amount": amount,
        "requested_on": clock.today(),
        "withdrawn_on": None,
        "version": 1,
        "notice_version": 0,
        "recorded_at": clock.now(),
    }
    await session.execute(insert(NoticeRow), [row])
    await _publish(session, application, row)


async def withdraw_open(session: AsyncSession, application: RowMapping) -> None:
    """Take back the notice of an application that is refused while it still runs."""
    running = (
        NoticeRow.application_id == application["application_id"],
        NoticeRow.outcome.is_(None),
        NoticeRow.withdrawn_on.is_(None),
    )
    wanted = select(NoticeRow.__table__).where(*running).with_for_update()
    for row in (await session.execute(wanted)).mappings().all():
        withdrawn = {"withdrawn_on": clock.today(), "version": row["version"] + 1}
        theirs = NoticeRow.notice_request_id == row["notice_request_id"]
        await session.execute(
            update(NoticeRow).where(theirs).values(**withdrawn, recorded_at=clock.now())
        )
        await _publish(session, application, {**row, **withdrawn})


async def record(session: AsyncSession, told: Sequence[tuple[int, Notice]]) -> None:
    """Store what notify says of notices (version, notice); an older version changes nothing.

    Raises UnknownRequestError naming the requests that relief never made.
    """
    asked = {notice.notice_request_id for _, notice in told}
    known = await session.scalars(
        select(NoticeRow.notice_request_id)
        .where(among(NoticeRow.notice_request_id, sorted(asked)))
        .order_by(NoticeRow.notice_request_id)
        .with_for_update()
    )
    missing = asked.difference(known)
    if missing:
        named = ", ".join(sorted(map(str, missing)))
        raise UnknownRequestError(f"relief never asked for the notice {named}: ask notify")
    for version, notice in sorted(told, key=lambda each: each[0]):
        values = {name: getattr(notice, name) for name in _TOLD}
        await session.execute(_KEEP, {**values, "version": version, "now": clock.now()})


_TOLD = (
    "notice_request_id",
    "notice_id",
    "status",
    "posted_on",
    "last_day",
    "objections",
    "outcome",
    "refusal",
    "closed_on",
)
_KEEP = text(
    """
    UPDATE temporary_notices SET notice_id = :notice_id, notice_version = :version,
        status = :status, posted_on = :posted_on, last_day = :last_day, objections = :objections,
        outcome = :outcome, refusal = :refusal, closed_on = :closed_on, recorded_at = :now
    WHERE notice_request_id = :notice_request_id AND notice_version < :version
    """
)


async def _publish(session: AsyncSession, application: RowMapping, row: Mapping[str, Any]) -> None:
    episode = await residents.episode_of(session, application["household_id"])
    payload = NoticeRequest(
        notice_request_id=row["notice_request_id"],
        household_id=application["household_id"],
        kind=KIND,
        division_code=application["division_code"],
        episode=episode,
        n=len(application["person_ids"]),
        amount=row["amount"],
        applicant_person_id=application["applicant_person_id"],
        applicant_birth_date=application["applicant_birth_date"],
        requested_on=row["requested_on"],
        withdrawn=row["withdrawn_on"] is not None,
    )
    event = events.NewEvent(
        topic=RELIEF_NOTICES,
        type=NOTICE_REQUESTED,
        subject=row["notice_request_id"],
        version=row["version"],
        episode=episode or None,
        payload=payload,
    )
    await events.publish(session, [event])
