"""What is asked of dropout cases, and the days of their steps."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.dropout.models import DropoutCase
from services.education.dropout.rules import STEP_KEYS, Step
from services.education.standards.queries import in_force
from shared.db import driver_of, in_divisions


async def cases(
    session: AsyncSession,
    within: Sequence[Sequence[str]],
    *,
    is_open: bool | None,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Cases by their ids, which ascend with time."""
    conditions = [in_divisions(DropoutCase.division_code, covered) for covered in within]
    if is_open is not None:
        closed_on = DropoutCase.closed_on
        conditions.append(closed_on.is_(None) if is_open else closed_on.is_not(None))
    if after is not None:
        conditions.append(DropoutCase.case_id > after)
    rows = select(DropoutCase.__table__).where(*conditions)
    return (await session.execute(rows.order_by(DropoutCase.case_id).limit(limit))).mappings().all()


async def case_by_id(
    session: AsyncSession, case_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One case, locked where it is to be changed."""
    mine = and_(DropoutCase.case_id == case_id, in_divisions(DropoutCase.division_code, divisions))
    rows = select(DropoutCase.__table__).where(mine)
    found = await session.execute(rows.with_for_update() if lock else rows)
    return found.mappings().one_or_none()


async def cases_of(
    session: AsyncSession, person_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """All cases of one person, in the order in which they were opened."""
    mine = and_(
        DropoutCase.person_id == person_id, in_divisions(DropoutCase.division_code, divisions)
    )
    rows = select(DropoutCase.__table__).where(mine).order_by(DropoutCase.case_id)
    return (await session.execute(rows)).mappings().all()


async def open_cases(session: AsyncSession, person_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The open case of each of these persons who has one."""
    rows = await driver_of(session).fetch(_OPEN_CASES, person_ids)
    return {row["person_id"]: row["case_id"] for row in rows}


async def step_days(
    session: AsyncSession, division_codes: Collection[str], on: date
) -> Mapping[str, Mapping[Step, int]]:
    """After how many days of absence each step is due, by division; unset ones are left out."""
    held = await in_force(session, STEP_KEYS.values(), set(division_codes), on)
    return {
        code: {
            step: int(held[key, code].value)
            for step, key in STEP_KEYS.items()
            if (key, code) in held
        }
        for code in set(division_codes)
    }


_OPEN_CASES = """
    SELECT person_id, case_id FROM dropout_cases WHERE closed_on IS NULL AND person_id = ANY ($1)
"""
