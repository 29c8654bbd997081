"""Pairs as they are asked for, and the people whom the job looks at one after the other."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.duplicates.models import DuplicateCandidate
from services.registry.duplicates.rules import CandidateState
from services.registry.households.models import Household, Person
from shared.db import among, in_divisions


async def page(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    within: Sequence[str],
    state: CandidateState | None,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Pairs by id whose both people stand in ``divisions``."""
    row = DuplicateCandidate
    query = (
        select(row.__table__)
        .where(in_divisions(row.division_code, divisions))
        .where(in_divisions(row.division_code, within))
        .order_by(row.candidate_id)
        .limit(limit)
    )
    if state is not None:
        query = query.where(row.state == state.value)
    if after is not None:
        query = query.where(row.candidate_id > after)
    return (await session.execute(query)).mappings().all()


async def one(
    session: AsyncSession, candidate_id: UUID, *, divisions: Sequence[str], lock: bool = False
) -> RowMapping | None:
    """One pair."""
    query = (
        select(DuplicateCandidate.__table__)
        .where(DuplicateCandidate.candidate_id == candidate_id)
        .where(in_divisions(DuplicateCandidate.division_code, divisions))
    )
    rows = await session.execute(query.with_for_update() if lock else query)
    return rows.mappings().one_or_none()


async def people_after(
    session: AsyncSession, division: str, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """The next people of a division by id, with their phones where those are not hashed yet."""
    query = (
        select(Person.person_id, Person.phone_encrypted, Person.phone_hash)
        .where(in_divisions(Person.division_code, [division]))
        .order_by(Person.person_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(Person.person_id > after)
    return (await session.execute(query)).mappings().all()


async def count_people(session: AsyncSession, division: str) -> int:
    """How many people stand in a division."""
    counted = select(func.count()).where(in_divisions(Person.division_code, [division]))
    return int((await session.execute(counted)).scalar_one())


async def unhashed_phones(session: AsyncSession, heads: Sequence[UUID]) -> Mapping[UUID, bytes]:
    """The sealed phones, by household, of these heads' households that were never hashed."""
    rows = await session.execute(
        select(Household.household_id, Household.phone_encrypted)
        .where(among(Household.head_person_id, heads))
        .where(Household.phone_encrypted.is_not(None), Household.phone_hash.is_(None))
    )
    return {row.household_id: row.phone_encrypted for row in rows}
