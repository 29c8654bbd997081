"""What is asked when guarantees are stated: households by id, and what was ordered before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.asked import prefix_of
from shared.contracts.registry import FactPeriod, State
from shared.db import in_divisions
from shared.household_copy import household_copy
from shared.job_rows import JOBS

_PERIODS = TypeAdapter(tuple[FactPeriod, ...])
_COPIES = text("""
    SELECT household_id, division_code, state, CAST(periods AS text) AS periods,
        ARRAY(SELECT member.insured FROM member_copy AS member
              WHERE member.household_id = copy.household_id AND member.counted) AS insured
    FROM household_copy AS copy WHERE household_id = ANY(CAST(:household_ids AS uuid[]))
    ORDER BY household_id
""")


class Insurance(NamedTuple):
    """Whether one member counts and is insured; None where nobody knows."""

    counted: bool
    insured: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What relief's guarantees rest on, of the stored copy of one household."""

    household_id: UUID
    division_code: str
    state: State
    periods: Sequence[FactPeriod]
    members: Sequence[Insurance]


async def copies(session: AsyncSession, household_ids: Sequence[UUID]) -> list[Copy]:
    """These households as they are stored, by id; a fifth of what reading them whole costs."""
    rows = await session.execute(_COPIES, {"household_ids": list(household_ids)})
    return [
        Copy(
            household_id=row.household_id,
            division_code=row.division_code,
            state=State(row.state),
            periods=_PERIODS.validate_json(row.periods),
            members=[Insurance(counted=True, insured=insured) for insured in row.insured],
        )
        for row in rows
    ]


async def households_of(
    session: AsyncSession, division: str, *, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """The next ``limit`` households that live in a division, by id."""
    rows = select(household_copy.c.household_id).where(_living_in(division))
    if after is not None:
        rows = rows.where(household_copy.c.household_id > after)
    ordered = rows.order_by(household_copy.c.household_id).limit(limit)
    return (await session.scalars(ordered)).all()


async def count_households_of(session: AsyncSession, division: str) -> int:
    """How many households live in a division."""
    counted = select(func.count()).select_from(household_copy).where(_living_in(division))
    return (await session.scalars(counted)).one()


async def looked_at(session: AsyncSession, kind: str, month: str) -> bool:
    """Whether the look of this month was ordered already."""
    ordered = select(JOBS.c.job_id).where(
        JOBS.c.kind == kind, JOBS.c.arguments["month"].as_string() == month
    )
    return (await session.scalars(ordered.limit(1))).first() is not None


def _living_in(division: str) -> ColumnElement[bool]:
    return in_divisions(household_copy.c.division_code, (prefix_of(division),))
