"""What is asked of placements: by labour, by their actions and by the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.jobs.models import Placement
from services.employment.labour.rules import Job
from shared.db import driver_of, in_divisions

_TABLE = Placement.__table__
_OPEN = Placement.ended_on.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementFilter:
    """Which placements are asked for; what is None does not matter."""

    person_id: UUID | None = None
    household_id: UUID | None = None
    open: bool | None = None


async def jobs_of(session: AsyncSession, person_ids: Sequence[UUID]) -> dict[UUID, list[Job]]:
    """The placements of these people that are not over, as far as work is concerned."""
    found: dict[UUID, list[Job]] = {}
    for row in await driver_of(session).fetch(_JOBS, person_ids):
        until = row["until"]
        job = Job(
            placement_id=row["placement_id"],
            kind=row["kind"],
            counts_from=row["counts_from"],
            counts_until=None if until is None else until + timedelta(days=1),
        )
        found.setdefault(row["person_id"], []).append(job)
    return found


_JOBS = """
    SELECT person_id, placement_id, kind, counts_from, until FROM placements
    WHERE ended_on IS NULL AND person_id = ANY ($1) ORDER BY placement_id
"""


async def placements_of_person(
    session: AsyncSession, person_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """All placements of a person, the newest first."""
    mine = in_divisions(Placement.division_code, divisions)
    rows = select(_TABLE).where(Placement.person_id == person_id, mine)
    ordered = rows.order_by(Placement.placement_id.desc())
    return (await session.execute(ordered)).mappings().all()


async def placement_by_id(
    session: AsyncSession, placement_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One placement."""
    mine = in_divisions(Placement.division_code, divisions)
    rows = select(_TABLE).where(Placement.placement_id == placement_id, mine)
    return (await session.execute(rows)).mappings().one_or_none()


async def placements(
    session: AsyncSession,
    asked: PlacementFilter,
    within: Sequence[Sequence[str]],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Placements by their ids, which ascend with time."""
    conditions = [in_divisions(Placement.division_code, covered) for covered in within]
    if asked.person_id is not None:
        conditions.append(Placement.person_id == asked.person_id)
    if asked.household_id is not None:
        conditions.append(Placement.household_id == asked.household_id)
    if asked.open is not None:
        conditions.append(_OPEN if asked.open else ~_OPEN)
    if after is not None:
        conditions.append(Placement.placement_id > after)
    rows = select(_TABLE).where(*conditions).order_by(Placement.placement_id).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def due_placements(session: AsyncSession, day: date, *, limit: int) -> Sequence[RowMapping]:
    """The next placements that begin to count or are over by ``day``, the longest due first."""
    rows = select(Placement.placement_id, Placement.person_id, Placement.household_id)
    due = rows.where(Placement.turns_on <= day).order_by(Placement.turns_on, Placement.placement_id)
    return (await session.execute(due.limit(limit))).mappings().all()
