"""What is asked of renovations: by their actions, by the surveys' answers and by the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.housing.renovations.models import Renovation, RenovationStage
from services.housing.renovations.rules import SUBSIDISED, Stage
from shared.db import in_divisions

RUNNING = Renovation.stage.not_in([*SUBSIDISED, Stage.CANCELLED])
"""Those that are neither accepted nor cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenovationFilter:
    """Which renovations are asked for; what is None does not matter."""

    stage: Stage | None = None
    household_id: UUID | None = None


async def renovation_by_id(
    session: AsyncSession, renovation_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One renovation; with ``lock`` held until the transaction ends."""
    mine = in_divisions(Renovation.division_code, divisions)
    wanted = select(Renovation.__table__).where(Renovation.renovation_id == renovation_id, mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def stages_of(
    session: AsyncSession, renovation_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The stages that a renovation went through, in the order in which they were recorded."""
    mine = in_divisions(RenovationStage.division_code, divisions)
    wanted = select(RenovationStage.__table__).where(
        RenovationStage.renovation_id == renovation_id, mine
    )
    rows = await session.execute(wanted.order_by(RenovationStage.recorded_at))
    return rows.mappings().all()


async def last_stage_on(session: AsyncSession, renovation_id: UUID) -> date:
    """The day of the newest stage: stages never run backwards."""
    wanted = select(func.max(RenovationStage.done_on))
    found = await session.scalars(wanted.where(RenovationStage.renovation_id == renovation_id))
    return found.one()


async def renovations_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """All renovations a household ever applied for, oldest first."""
    mine = in_divisions(Renovation.division_code, divisions)
    wanted = select(Renovation.__table__).where(Renovation.household_id == household_id, mine)
    return (await session.execute(wanted.order_by(Renovation.renovation_id))).mappings().all()


async def renovations(
    session: AsyncSession,
    asked: RenovationFilter,
    within: Sequence[Sequence[str]],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Renovations by their ids, which ascend with time."""
    conditions = [in_divisions(Renovation.division_code, covered) for covered in within]
    if asked.stage is not None:
        conditions.append(Renovation.stage == asked.stage)
    if asked.household_id is not None:
        conditions.append(Renovation.household_id == asked.household_id)
    if after is not None:
        conditions.append(Renovation.renovation_id > after)
    wanted = select(Renovation.__table__).where(*conditions)
    ordered = wanted.order_by(Renovation.renovation_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def running_of(session: AsyncSession, household_id: UUID) -> UUID | None:
    """The household's renovation that is under way, if one is."""
    wanted = select(Renovation.renovation_id).where(
        Renovation.household_id == household_id, RUNNING
    )
    return (await session.scalars(wanted)).one_or_none()


async def last_accepted_on(session: AsyncSession, household_id: UUID) -> date | None:
    """The day on which the household's newest renovation was accepted."""
    wanted = select(func.max(Renovation.accepted_on))
    found = await session.scalars(wanted.where(Renovation.household_id == household_id))
    return found.one()
