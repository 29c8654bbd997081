"""What is asked of notices and objections."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, and_, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices.models import Notice, Objection
from services.notify.notices.rules import Content
from shared.contracts.notices import NoticeKind, NoticeStatus
from shared.contracts.registry import Category
from shared.db import among, in_divisions
from shared.divisions import DIVISIONS, LENGTHS, county_of
from shared.job_rows import JOBS, OPEN

Row = Mapping[Any, Any]
"""A notice by the names of its columns, as it is stored or is to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFilter:
    """Which notices are asked for; what is None does not matter."""

    within: Sequence[str]
    kind: str | None = None
    status: str | None = None


async def notice_by_id(
    session: AsyncSession, notice_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One notice; with ``lock``, held until the transaction ends."""
    mine = and_(Notice.notice_id == notice_id, in_divisions(Notice.division_code, divisions))
    wanted = select(Notice.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def notices(
    session: AsyncSession,
    asked: NoticeFilter,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Notices by their ids, which ascend with time."""
    conditions = [
        in_divisions(Notice.division_code, divisions),
        in_divisions(Notice.division_code, asked.within),
    ]
    if asked.kind is not None:
        conditions.append(Notice.kind == asked.kind)
    if asked.status is not None:
        conditions.append(Notice.status == asked.status)
    if after is not None:
        conditions.append(Notice.notice_id > after)
    rows = select(Notice.__table__).where(*conditions).order_by(Notice.notice_id).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def objections_of(
    session: AsyncSession,
    notice_id: UUID,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """The objections to one notice by their ids, which ascend with time; still encrypted."""
    conditions = [
        Objection.notice_id == notice_id,
        in_divisions(Objection.division_code, divisions),
    ]
    if after is not None:
        conditions.append(Objection.objection_id > after)
    rows = select(Objection.__table__).where(*conditions)
    ordered = rows.order_by(Objection.objection_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def objection_by_id(
    session: AsyncSession, notice_id: UUID, objection_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One objection to one notice; the notice's lock is the one that guards it."""
    wanted = select(Objection.__table__).where(
        Objection.notice_id == notice_id,
        Objection.objection_id == objection_id,
        in_divisions(Objection.division_code, divisions),
    )
    return (await session.execute(wanted)).mappings().one_or_none()


async def hold_requested(
    session: AsyncSession, request_ids: Sequence[UUID]
) -> dict[UUID, RowMapping]:
    """The notices of these requests by request id, locked in the order of their ids."""
    theirs = among(Notice.notice_request_id, request_ids)
    return {row["notice_request_id"]: row for row in await _hold(session, theirs)}


async def hold_to_post(session: AsyncSession, notice_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Those of these notices that are to be posted, locked in the order of their ids."""
    return await _hold(session, and_(among(Notice.notice_id, notice_ids), Notice.to_post))


async def hold_over(session: AsyncSession, day: date, limit: int) -> Sequence[RowMapping]:
    """The next notices whose last day is before ``day`` and that nothing holds open, locked."""
    over = and_(
        Notice.status == NoticeStatus.POSTED,
        Notice.last_day < day,
        Notice.to_post.is_(other=False),
    )
    return await _hold(session, over, limit)


async def to_post(session: AsyncSession, notice_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Those of these notices that are to be posted, as they stand, by id."""
    waiting = and_(among(Notice.notice_id, notice_ids), Notice.to_post)
    found: Sequence[RowMapping] = (await session.execute(_ordered(waiting))).mappings().all()
    return found


async def left_to_post(session: AsyncSession, kind: str, limit: int) -> Sequence[RowMapping]:
    """The next notices that are to be posted and that no open job of ``kind`` will post."""
    theirs = JOBS.c.arguments["notice_ids"].contains(func.to_jsonb(Notice.notice_id))
    waits = and_(
        Notice.to_post, ~exists(select(literal(1)).where(OPEN, JOBS.c.kind == kind, theirs))
    )
    rows = await session.execute(_ordered(waits).limit(limit))
    found: Sequence[RowMapping] = rows.mappings().all()
    return found


async def division_names(session: AsyncSession, codes: Collection[str]) -> dict[str, str]:
    """The names of these divisions, and of the townships and counties that they lie in."""
    wanted = {code[:length] for code in codes for length in set(LENGTHS.values())}
    rows = await session.execute(
        select(DIVISIONS.c.code, DIVISIONS.c.name).where(DIVISIONS.c.code.in_(sorted(wanted)))
    )
    return {row.code: row.name for row in rows}


def content_in(row: Row) -> Content:
    """What the notice of a row says, or is to say."""
    return Content(
        kind=NoticeKind(row["kind"]),
        division_code=row["division_code"],
        category=Category(row["category"]) if row["category"] else None,
        n=row["n"],
        amount=row["amount"],
        applicant_person_id=row["applicant_person_id"],
    )


def by_county(rows: Sequence[Row]) -> dict[str, list[UUID]]:
    """The ids of notices by the county that they lie in."""
    found: dict[str, list[UUID]] = {}
    for row in rows:
        found.setdefault(county_of(row["division_code"]), []).append(row["notice_id"])
    return found


async def _hold(
    session: AsyncSession, which: ColumnElement[bool], limit: int | None = None
) -> Sequence[RowMapping]:
    rows = await session.execute(_ordered(which).limit(limit).with_for_update())
    found: Sequence[RowMapping] = rows.mappings().all()
    return found


def _ordered(which: ColumnElement[bool]) -> Select[Any]:
    return select(Notice.__table__).where(which).order_by(Notice.notice_id)
