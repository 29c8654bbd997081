"""Notices asked for, with what came of them, in the caller's divisions."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.notices.models import Notice, NoticeRequest
from services.registry.notices.rules import Announcement
from shared.contracts.notices import NoticeKind, NoticeOutcome, NoticeStatus
from shared.contracts.registry import Category
from shared.db import in_divisions

_CAME_OF_IT = (
    Notice.notice_id,
    Notice.status,
    Notice.posted_on,
    Notice.last_day,
    Notice.objections,
    Notice.outcome,
    Notice.refusal,
    Notice.closed_on,
)


async def notices_of(
    session: AsyncSession,
    household_id: UUID,
    *,
    divisions: Sequence[str],
    after: UUID | None = None,
    limit: int | None = None,
) -> Sequence[RowMapping]:
    """The notices of one household in the order in which they were asked for, after one."""
    query = _of(household_id, divisions).order_by(NoticeRequest.notice_request_id).limit(limit)
    if after is not None:
        query = query.where(NoticeRequest.notice_request_id > after)
    return (await session.execute(query)).mappings().all()


async def announcements(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> list[Announcement]:
    """The same as the rules take them."""
    return [
        announcement(row) for row in await notices_of(session, household_id, divisions=divisions)
    ]


async def newest(
    session: AsyncSession,
    household_id: UUID,
    kind: NoticeKind,
    episode: int,
    *,
    divisions: Sequence[str],
) -> Announcement | None:
    """The last notice asked for of a kind in an episode: it alone may carry the decision."""
    found = [
        each
        for each in await announcements(session, household_id, divisions=divisions)
        if (each.kind, each.episode) == (kind, episode)
    ]
    return found[-1] if found else None


def announcement(row: Mapping[Any, Any]) -> Announcement:
    """A row of ``notices_of`` as the rules take it."""
    told = {name: row[name] for name in Announcement.__dataclass_fields__ if name in row}
    return Announcement(
        **told
        | {
            "kind": NoticeKind(row["kind"]),
            "category": Category(row["category"]),
            "withdrawn": row["withdrawn_on"] is not None,
            "status": NoticeStatus(row["status"]) if row["status"] else None,
            "outcome": NoticeOutcome(row["outcome"]) if row["outcome"] else None,
        }
    )


def _of(household_id: UUID, divisions: Sequence[str]) -> Select[*tuple[Any, ...]]:
    came = Notice.notice_request_id == NoticeRequest.notice_request_id
    return (
        select(NoticeRequest.__table__, *_CAME_OF_IT)
        .outerjoin(Notice, came)
        .where(NoticeRequest.household_id == household_id)
        .where(in_divisions(NoticeRequest.division_code, divisions))
    )
