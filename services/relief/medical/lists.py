"""What officers ask of medical assistance: amounts, their explanation, a quarter's sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical.models import MedicalGrant, Settlement
from shared.db import in_divisions

_LISTED = (
    *(column for column in MedicalGrant.__table__.c if column.name != "basis"),
    Settlement.settlement_no,
    Settlement.discharged_on,
)
_COUNTY = func.left(MedicalGrant.division_code, len("331124"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFilter:
    """Which amounts are asked for; what is None does not matter. ``month`` is the discharge's."""

    household_id: UUID | None = None
    person_id: UUID | None = None
    statement_id: UUID | None = None
    month: date | None = None


def _joined(*columns: object) -> Select[tuple[object, ...]]:
    found: Select[tuple[object, ...]] = select(*columns)  # type: ignore[call-overload] # any columns
    return found.join(Settlement, Settlement.settlement_id == MedicalGrant.settlement_id)


async def grants(
    session: AsyncSession,
    asked: GrantFilter,
    within: Sequence[Sequence[str]],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Amounts by their ids, which ascend with time, in all of these sets of prefixes."""
    conditions = [in_divisions(MedicalGrant.division_code, covered) for covered in within]
    wanted = (
        (MedicalGrant.household_id, asked.household_id),
        (MedicalGrant.person_id, asked.person_id),
        (MedicalGrant.statement_id, asked.statement_id),
        (MedicalGrant.month, asked.month),
    )
    conditions += [column == value for column, value in wanted if value is not None]
    if after is not None:
        conditions.append(MedicalGrant.grant_id > after)
    rows = _joined(*_LISTED).where(*conditions).order_by(MedicalGrant.grant_id).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def grant_by_id(
    session: AsyncSession, grant_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One amount with the basis of its decision."""
    mine = and_(
        MedicalGrant.grant_id == grant_id, in_divisions(MedicalGrant.division_code, divisions)
    )
    rows = await session.execute(_joined(*_LISTED, MedicalGrant.basis).where(mine))
    return rows.mappings().one_or_none()


async def sums(
    session: AsyncSession, first: date, last: date, within: Sequence[Sequence[str]]
) -> Sequence[RowMapping]:
    """By county and category, what was decided from a day to another: amounts and their sums.

    ``paid_yuan`` is what of it was confirmed as paid. Corrections downwards lower the sums.
    """
    conditions = [in_divisions(MedicalGrant.division_code, covered) for covered in within]
    grouped = (
        select(
            _COUNTY.label("county"),
            MedicalGrant.category,
            func.count().label("amounts"),
            func.count(MedicalGrant.settlement_id.distinct()).label("settlements"),
            func.sum(MedicalGrant.amount).label("total_yuan"),
            func.coalesce(
                func.sum(MedicalGrant.amount).filter(MedicalGrant.status == "paid"), 0
            ).label("paid_yuan"),
        )
        .where(MedicalGrant.decided_on.between(first, last), MedicalGrant.amount != 0, *conditions)
        .group_by(_COUNTY, MedicalGrant.category)
        .order_by(_COUNTY, MedicalGrant.category)
    )
    return (await session.execute(grouped)).mappings().all()
