"""What is asked of groups, their people, their log, centres, and who is left without a group."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.mutual_aid.models import Activity, Group, HomeCareCentre, Membership
from services.relief.mutual_aid.rules import Role
from shared.contracts.registry import State
from shared.db import in_divisions
from shared.household_copy import household_copy, member_copy

Within = Sequence[Sequence[str]]
"""Sets of prefixes that must all cover a row: what was asked for, what the caller may see."""


async def group_by_id(
    session: AsyncSession, group_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One group; with ``lock``, held until the transaction ends."""
    mine = and_(Group.group_id == group_id, in_divisions(Group.division_code, divisions))
    wanted = select(Group.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def groups(
    session: AsyncSession, within: Within, *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Groups by id, dissolved ones too."""
    return await _page(session, Group, Group.group_id, within, after=after, limit=limit)


async def members_of(session: AsyncSession, group_id: UUID) -> Sequence[RowMapping]:
    """Everybody who ever belonged to a group, by when they joined."""
    rows = select(Membership.__table__).where(Membership.group_id == group_id)
    ordered = rows.order_by(Membership.joined_on, Membership.membership_id)
    return (await session.execute(ordered)).mappings().all()


async def membership_by_id(
    session: AsyncSession, membership_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One person's stay in a group."""
    mine = and_(
        Membership.membership_id == membership_id,
        in_divisions(Membership.division_code, divisions),
    )
    rows = await session.execute(select(Membership.__table__).where(mine))
    return rows.mappings().one_or_none()


async def people_on(session: AsyncSession, group_id: UUID, day: date) -> set[UUID]:
    """Who belonged to a group on a day."""
    there = and_(
        Membership.group_id == group_id,
        Membership.joined_on <= day,
        or_(Membership.left_on.is_(None), Membership.left_on >= day),
    )
    return set(await session.scalars(select(Membership.person_id).where(there)))


async def activities_of(
    session: AsyncSession, group_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """A group's log in the order in which it was written."""
    rows = select(Activity.__table__).where(Activity.group_id == group_id)
    following = rows if after is None else rows.where(Activity.activity_id > after)
    ordered = following.order_by(Activity.activity_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def is_registered(session: AsyncSession, person_id: UUID, divisions: Sequence[str]) -> bool:
    """Whether the person lives in a registered household that the caller may see."""
    column = member_copy.c
    mine = and_(column.person_id == person_id, in_divisions(column.division_code, divisions))
    return bool(await session.scalar(select(exists().where(mine))))


async def uncared(
    session: AsyncSession, within: Within, *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Left-behind people whom no group cares for now, by person id."""
    person = member_copy.c
    cared_for = exists().where(
        Membership.person_id == person.person_id,
        Membership.role == Role.CARED_FOR,
        Membership.left_on.is_(None),
    )
    conditions = [
        person.left_behind.is_(True),
        ~cared_for,
        household_copy.c.state != State.CLOSED,
        *(in_divisions(person.division_code, covered) for covered in within),
    ]
    if after is not None:
        conditions.append(person.person_id > after)
    rows = (
        select(
            person.person_id,
            person.household_id,
            person.division_code,
            person.sex,
            person.birth_date,
        )
        .join(household_copy, household_copy.c.household_id == person.household_id)
        .where(*conditions)
        .order_by(person.person_id)
        .limit(limit)
    )
    return (await session.execute(rows)).mappings().all()


async def centre_by_id(
    session: AsyncSession, centre_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One home-care centre; with ``lock``, held until the transaction ends."""
    mine = and_(
        HomeCareCentre.centre_id == centre_id, in_divisions(HomeCareCentre.division_code, divisions)
    )
    wanted = select(HomeCareCentre.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def centres(
    session: AsyncSession, within: Within, *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Home-care centres by id, closed ones too."""
    key = HomeCareCentre.centre_id
    return await _page(session, HomeCareCentre, key, within, after=after, limit=limit)


async def _page(
    session: AsyncSession,
    model: Any,
    key: Any,
    within: Within,
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    conditions = [in_divisions(model.division_code, covered) for covered in within]
    if after is not None:
        conditions.append(key > after)
    rows = select(model.__table__).where(*conditions).order_by(key).limit(limit)
    return (await session.execute(rows)).mappings().all()
