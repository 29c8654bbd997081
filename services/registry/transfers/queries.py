"""Transfer tasks as they are asked for: by either side, oldest first."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.models import Member
from services.registry.transfers.models import TransferTask
from services.registry.transfers.rules import TransferState
from shared.db import in_divisions


def asking(divisions: Sequence[str]) -> ColumnElement[bool]:
    """Tasks of villages in ``divisions`` that take over."""
    return in_divisions(TransferTask.division_code, divisions)


def holding(divisions: Sequence[str]) -> ColumnElement[bool]:
    """Tasks that are asked of counties in ``divisions``, or were offered from there."""
    task = TransferTask
    return or_(
        in_divisions(task.from_county, divisions), in_divisions(task.offered_from, divisions)
    )


async def page(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    state: TransferState | None,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Transfer tasks by id that a place in ``divisions`` takes part in."""
    task = TransferTask
    query = (
        select(task.__table__)
        .where(or_(asking(divisions), holding(divisions)))
        .order_by(task.task_id)
        .limit(limit)
    )
    if state is not None:
        query = query.where(task.state == state.value)
    if after is not None:
        query = query.where(task.task_id > after)
    return (await session.execute(query)).mappings().all()


async def one(
    session: AsyncSession, task_id: UUID, side: ColumnElement[bool], *, lock: bool = False
) -> RowMapping | None:
    """One task, for who stands on that side (``asking`` or ``holding``)."""
    query = select(TransferTask.__table__).where(TransferTask.task_id == task_id, side)
    rows = await session.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def standing(
    session: AsyncSession, person_id: UUID, *, divisions: Sequence[str]
) -> UUID | None:
    """The open household in ``divisions`` that a person stands in."""
    found: UUID | None = await session.scalar(
        select(Member.household_id)
        .where(Member.person_id == person_id, Member.left_on.is_(None))
        .where(in_divisions(Member.division_code, divisions))
    )
    return found
