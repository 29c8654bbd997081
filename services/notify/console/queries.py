"""What pages look up for themselves: sessions, names of places, notices as lists show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.console.models import ConsoleSession
from services.notify.notices.models import Notice
from shared import clock, crypto
from shared.asked import prefixes
from shared.db import in_divisions
from shared.divisions import DIVISIONS

PURPOSE = "console_session"
UNDER_WAY = ("waiting", "posted", "objected")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFilter:
    """Which notices a page lists; what is None does not matter."""

    division: str | None = None
    under_way: bool | None = None
    before: UUID | None = None
    limit: int = 50


async def token_of(session: AsyncSession, key: str) -> str | None:
    """The access token of a session that has not ended; None for every other key."""
    sealed = await session.scalars(
        select(ConsoleSession.token_encrypted).where(
            ConsoleSession.key_hash == crypto.lookup_hash(key, purpose=PURPOSE),
            ConsoleSession.expires_at > clock.now(),
        )
    )
    found = sealed.one_or_none()
    return None if found is None else crypto.decrypt(found, purpose=PURPOSE)


async def names_of(session: AsyncSession, codes: Iterable[str]) -> dict[str, str]:
    """The names of divisions by code; an unknown code has none."""
    known = DIVISIONS.c
    wanted = select(known.code, known.name).where(known.code.in_(sorted(set(codes))))
    return {row.code: row.name for row in await session.execute(wanted)}


async def children_of(
    session: AsyncSession, divisions: Sequence[str], division: str | None
) -> Sequence[RowMapping]:
    """The divisions one may choose below ``division``: its own children that are covered.

    Without a division the counties that lie in what the caller covers.
    """
    known = DIVISIONS.c
    query = select(known.code, known.name).where(
        in_divisions(known.code, divisions), known.merged_into.is_(None)
    )
    if division is None or (division.endswith("00") and len(division) == 6):
        query = query.where(known.level == "county", in_divisions(known.code, prefixes(division)))
    else:
        query = query.where(known.parent_code == division)
    return (await session.execute(query.order_by(known.code))).mappings().all()


async def notices(
    session: AsyncSession, divisions: Sequence[str], wanted: NoticeFilter
) -> Sequence[RowMapping]:
    """Notices, the newest first: codes and days, nothing of what is printed on them."""
    conditions = [
        in_divisions(Notice.division_code, divisions),
        in_divisions(Notice.division_code, prefixes(wanted.division)),
    ]
    if wanted.under_way is not None:
        running = Notice.status.in_(UNDER_WAY)
        conditions.append(running if wanted.under_way else ~running)
    if wanted.before is not None:
        conditions.append(Notice.notice_id < wanted.before)
    query = select(*_NOTICE).where(*conditions).order_by(Notice.notice_id.desc())
    return (await session.execute(query.limit(wanted.limit))).mappings().all()


_NOTICE = (
    Notice.notice_id,
    Notice.household_id,
    Notice.division_code,
    Notice.kind,
    Notice.episode,
    Notice.category,
    Notice.n,
    Notice.amount,
    Notice.requested_on,
    Notice.status,
    Notice.posted_on,
    Notice.last_day,
    Notice.objections_open,
    Notice.objections_dismissed,
    Notice.outcome,
    Notice.refusal,
    Notice.closed_on,
)
