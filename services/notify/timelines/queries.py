"""What is asked of time lines: a household's happenings, its notices among them, and its lights.

Within the caller's divisions; row-level security asks the same again underneath.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    RowMapping,
    SmallInteger,
    Text,
    and_,
    cast,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices.models import Notice
from services.notify.timelines.models import Happening
from services.notify.timelines.rules import RANKS, Kind
from shared.contracts.notices import SOURCE as NOTIFY
from shared.db import in_divisions
from shared.household_copy import household_copy
from shared.paging import decode_cursor

Place = tuple[date, int, str, UUID, str]
"""Where a happening stands: day, rank, source, aggregate, part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Which part of a time line is asked for. ``after`` is the last happening already seen."""

    limit: int
    after: Place | None = None
    newest_first: bool = False


def after(cursor: str | None) -> Place | None:
    """The happening that the next page begins after. Raises BadRequest for another's cursor."""
    if cursor is None:
        return None
    on, rank, source, aggregate_id, part = decode_cursor(cursor, date, int, str, UUID, str)
    return (on, rank, source, aggregate_id, part)


def place_of(row: RowMapping) -> Place:
    """Where a row of ``happenings_of`` stands, for the cursor."""
    return (row["happened_on"], row["rank"], row["source"], row["aggregate_id"], row["part"])


async def division_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> str | None:
    """Where a household lives; None where it is unknown or outside ``divisions``."""
    home = household_copy.c
    found = await session.scalars(
        select(home.division_code).where(
            home.household_id == household_id, in_divisions(home.division_code, divisions)
        )
    )
    return found.one_or_none()


async def copy_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """What notify itself knows of a household: codes and figures, no name."""
    rows = await session.execute(
        select(household_copy).where(
            household_copy.c.household_id == household_id,
            in_divisions(household_copy.c.division_code, divisions),
        )
    )
    return rows.mappings().one_or_none()


async def happenings_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str], stretch: Stretch
) -> Sequence[RowMapping]:
    """A stretch of one household's time line, by day and by rank within the day."""
    told = union_all(
        _told(household_id, divisions),
        _notices(household_id, divisions, Kind.NOTICE_POSTED, Notice.posted_on),
        _notices(household_id, divisions, Kind.NOTICE_CLOSED, Notice.closed_on),
    ).subquery()
    order = (
        told.c.happened_on,
        told.c.rank,
        told.c.source,
        told.c.aggregate_id,
        told.c.part,
    )
    query = select(told)
    if stretch.after is not None:
        place = tuple_(*(literal(value) for value in stretch.after))
        beyond = tuple_(*order) < place if stretch.newest_first else tuple_(*order) > place
        query = query.where(beyond)
    ordered = query.order_by(*(one.desc() if stretch.newest_first else one for one in order))
    return (await session.execute(ordered.limit(stretch.limit))).mappings().all()


async def guarantees_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """A household's guarantees as last said; a kind that nobody stated is not there."""
    rows = await session.execute(
        select(Happening.code, Happening.detail, Happening.happened_on, Happening.source).where(
            Happening.household_id == household_id,
            Happening.kind == Kind.GUARANTEE,
            Happening.newest,
            in_divisions(Happening.division_code, divisions),
        )
    )
    return rows.mappings().all()


def _told(household_id: UUID, divisions: Sequence[str]) -> Any:
    return select(
        Happening.source,
        Happening.aggregate_id,
        Happening.part,
        Happening.happened_on,
        Happening.rank,
        Happening.kind,
        Happening.code,
        Happening.amount,
        Happening.month,
        Happening.detail,
    ).where(
        Happening.household_id == household_id, in_divisions(Happening.division_code, divisions)
    )


def _notices(
    household_id: UUID, divisions: Sequence[str], kind: Kind, day: ColumnElement[date | None] | Any
) -> Any:
    detail = func.jsonb_build_object(
        "last_day", Notice.last_day, "outcome", Notice.outcome, "episode", Notice.episode
    )
    return select(
        literal(NOTIFY, Text).label("source"),
        Notice.notice_id.label("aggregate_id"),
        literal(kind.value, Text).label("part"),
        cast(day, Date).label("happened_on"),
        literal(RANKS[kind], SmallInteger).label("rank"),
        literal(kind.value, Text).label("kind"),
        Notice.kind.label("code"),
        Notice.amount,
        cast(None, Date).label("month"),
        detail.label("detail"),
    ).where(
        and_(
            Notice.household_id == household_id,
            day.is_not(None),
            in_divisions(Notice.division_code, divisions),
        )
    )
