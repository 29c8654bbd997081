"""Signs of hardship and return checks, in the caller's divisions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.returns.models import Hardship, ReturnCheck
from shared.db import in_divisions

_SIGN = and_(Hardship.source == ReturnCheck.source, Hardship.hardship_id == ReturnCheck.hardship_id)


async def hardships_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The signs of one household in their order."""
    rows = await session.execute(
        select(Hardship.__table__)
        .where(Hardship.household_id == household_id)
        .where(in_divisions(Hardship.division_code, divisions))
        .order_by(Hardship.detected_on, Hardship.source, Hardship.hardship_id)
    )
    return rows.mappings().all()


async def checks_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The return checks of one household in the order in which they were opened."""
    rows = await session.execute(
        _checks(divisions)
        .where(ReturnCheck.household_id == household_id)
        .order_by(ReturnCheck.return_check_id)
    )
    return rows.mappings().all()


async def open_checks(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> list[UUID]:
    """The ids of the household's return checks that have not ended."""
    rows = await checks_of(session, household_id, divisions=divisions)
    return [row["return_check_id"] for row in rows if row["outcome"] is None]


async def one(
    session: AsyncSession, return_check_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One return check with its sign."""
    rows = await session.execute(
        _checks(divisions).where(ReturnCheck.return_check_id == return_check_id)
    )
    return rows.mappings().one_or_none()


async def list_checks(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    within: Sequence[str],
    is_open: bool | None,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return checks by id, the one opened first first, after one; ``within`` narrows further."""
    query = (
        _checks(divisions)
        .where(in_divisions(ReturnCheck.division_code, within))
        .order_by(ReturnCheck.return_check_id)
        .limit(limit)
    )
    if is_open is not None:
        ended = ReturnCheck.outcome.is_not(None)
        query = query.where(~ended if is_open else ended)
    if after is not None:
        query = query.where(ReturnCheck.return_check_id > after)
    return (await session.execute(query)).mappings().all()


def _checks(divisions: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            ReturnCheck.__table__,
            Hardship.kind,
            Hardship.detected_on,
            Hardship.amount,
            Hardship.note,
        )
        .join(Hardship, _SIGN)
        .where(in_divisions(ReturnCheck.division_code, divisions))
    )
