"""Helpers as those see them whom they may serve, pairings, and households without a lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination.models import StaffRelative
from services.registry.helpers.models import Helper, Pairing
from services.registry.helpers.rules import is_helped
from services.registry.households.models import Household
from shared import divisions as places
from shared.contracts.registry import State
from shared.db import among, in_divisions

_COUNTY = len("331124")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which pairings: in these divisions, of a helper or a household, flagged, in force."""

    within: Sequence[str]
    helper_id: UUID | None = None
    officer_id: str | None = None
    household_id: UUID | None = None
    flagged: bool | None = None
    is_open: bool | None = None


async def helper(
    session: AsyncSession, helper_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One helper of the caller's divisions, or of what they belong to."""
    rows = await session.execute(
        select(Helper.__table__).where(Helper.helper_id == helper_id, _in_reach(divisions))
    )
    return rows.mappings().one_or_none()


async def helpers_page(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    within: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Helpers who have not left, in the order in which they were registered."""
    query = (
        select(Helper.__table__)
        .where(_in_reach(divisions), in_divisions(Helper.division_code, within))
        .where(Helper.left_on.is_(None))
        .order_by(Helper.helper_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Helper.helper_id > after)
    return (await session.execute(query)).mappings().all()


async def hold(session: AsyncSession, helper_id: UUID) -> int:
    """Lock a helper; gives how many households he has, wherever they lie."""
    return int(await session.scalar(select(func.hold_helper(helper_id))) or 0)


async def is_relative(session: AsyncSession, person_ids: Sequence[UUID], officer_id: str) -> bool:
    """Whether the register of staff relatives has one of these persons as this officer's."""
    found = select(StaffRelative.person_id).where(
        among(StaffRelative.person_id, person_ids),
        StaffRelative.staff_officer_id == officer_id,
        StaffRelative.ended_on.is_(None),
    )
    return bool(await session.scalar(select(exists(found))))


async def helped_by(session: AsyncSession, helper_id: UUID) -> list[UUID]:
    """The households that a helper is paired with now, as far as the caller sees them."""
    rows = await session.scalars(
        select(Pairing.household_id)
        .where(Pairing.helper_id == helper_id, Pairing.ended_on.is_(None))
        .distinct()
    )
    return sorted(rows)


async def lead_of(session: AsyncSession, household_id: UUID) -> UUID | None:
    """The pairing of the household's lead helper."""
    found: UUID | None = await session.scalar(
        select(Pairing.pairing_id).where(
            Pairing.household_id == household_id, Pairing.lead, Pairing.ended_on.is_(None)
        )
    )
    return found


async def lead_officer(session: AsyncSession, household_id: UUID) -> str | None:
    """The officer who leads the help of a household."""
    found: str | None = await session.scalar(
        select(Helper.officer_id)
        .join(Pairing, Pairing.helper_id == Helper.helper_id)
        .where(Pairing.household_id == household_id, Pairing.lead, Pairing.ended_on.is_(None))
    )
    return found


async def pairing(
    session: AsyncSession, pairing_id: UUID, *, divisions: Sequence[str]
) -> RowMapping | None:
    """One pairing with its helper."""
    rows = await session.execute(_pairings(divisions).where(Pairing.pairing_id == pairing_id))
    return rows.mappings().one_or_none()


async def pairings_page(
    session: AsyncSession,
    wanted: Wanted,
    *,
    divisions: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Pairings with their helpers in the order in which they were made."""
    query = _pairings(divisions).where(*_conditions(wanted)).order_by(Pairing.pairing_id)
    if after is not None:
        query = query.where(Pairing.pairing_id > after)
    return (await session.execute(query.limit(limit))).mappings().all()


async def without_lead(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    within: Sequence[str],
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Households on assistance or tracked that have no lead helper, by their ids."""
    led = select(Pairing.pairing_id).where(
        Pairing.household_id == Household.household_id, Pairing.lead, Pairing.ended_on.is_(None)
    )
    query = (
        select(
            Household.household_id,
            Household.household_no,
            Household.division_code,
            Household.category,
            Household.state,
        )
        .where(Household.state.in_([state.value for state in State if is_helped(state)]))
        .where(in_divisions(Household.division_code, divisions))
        .where(in_divisions(Household.division_code, within))
        .where(~exists(led))
        .order_by(Household.household_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Household.household_id > after)
    return (await session.execute(query)).mappings().all()


def _in_reach(divisions: Sequence[str]) -> ColumnElement[bool]:
    """A county's organs help in its townships: helpers of what the divisions lie in count."""
    above = {code for each in divisions if len(each) >= _COUNTY for code in places.ancestors(each)}
    return or_(in_divisions(Helper.division_code, divisions), Helper.division_code.in_(above))


def _pairings(divisions: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Pairing.__table__,
            Helper.officer_id,
            Helper.name_encrypted,
            Helper.phone_encrypted,
            Helper.kind,
            Helper.unit,
        )
        .join(Helper, Helper.helper_id == Pairing.helper_id)
        .where(in_divisions(Pairing.division_code, divisions))
    )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked = [in_divisions(Pairing.division_code, wanted.within)]
    if wanted.helper_id is not None:
        asked.append(Pairing.helper_id == wanted.helper_id)
    if wanted.officer_id is not None:
        asked.append(Helper.officer_id == wanted.officer_id)
    if wanted.household_id is not None:
        asked.append(Pairing.household_id == wanted.household_id)
    if wanted.flagged is not None:
        flagged = Pairing.flag.is_not(None)
        asked.append(flagged if wanted.flagged else ~flagged)
    if wanted.is_open is not None:
        ended = Pairing.ended_on.is_not(None)
        asked.append(~ended if wanted.is_open else ended)
    return asked
