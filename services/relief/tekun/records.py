"""What is asked of the records beside the grants: assessments, changes, institutions, supports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, exists, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.tekun.models import (
    Assessment,
    Institution,
    InstitutionAccount,
    Reassessment,
    Support,
)
from shared.contracts.registry import Category, State
from shared.db import among, in_divisions
from shared.household_copy import household_copy, member_copy

Within = Sequence[Sequence[str]]
"""Sets of division prefixes that must all cover a row: what was asked for, what may be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A household as its copy tells it now, with the people who count."""

    household_id: UUID
    division_code: str
    is_tekun: bool
    members: frozenset[UUID]


async def household(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> Household | None:
    """One household of these divisions."""
    row = (await session.execute(_HOUSEHOLD, {"household_id": household_id})).one_or_none()
    if row is None or not any(row.division_code.startswith(prefix) for prefix in divisions):
        return None
    on_assistance = State(row.state).on_assistance
    return Household(
        household_id=household_id,
        division_code=row.division_code,
        is_tekun=on_assistance and row.category == Category.TEKUN,
        members=frozenset(row.members),
    )


async def assessment_by_id(
    session: AsyncSession, assessment_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One assessment; with ``lock``, held until the transaction ends."""
    mine = and_(
        Assessment.assessment_id == assessment_id,
        in_divisions(Assessment.division_code, divisions),
    )
    wanted = select(Assessment.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def assessments_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """Every assessment of a household's people, as they were entered."""
    mine = and_(
        Assessment.household_id == household_id, in_divisions(Assessment.division_code, divisions)
    )
    rows = select(Assessment.__table__).where(mine).order_by(Assessment.assessment_id)
    return (await session.execute(rows)).mappings().all()


async def waiting_assessments(
    session: AsyncSession, within: Within, *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Assessments that a second officer has still to confirm, by id."""
    conditions = [in_divisions(Assessment.division_code, covered) for covered in within]
    conditions += [Assessment.confirmed_at.is_(None), Assessment.withdrawn_at.is_(None)]
    if after is not None:
        conditions.append(Assessment.assessment_id > after)
    rows = select(Assessment.__table__).where(*conditions).order_by(Assessment.assessment_id)
    return (await session.execute(rows.limit(limit))).mappings().all()


async def assessed_since(session: AsyncSession, person_id: UUID, day: date) -> bool:
    """Whether a person was looked at on or after a day, and that look is confirmed."""
    counted = select(func.count()).where(
        Assessment.person_id == person_id,
        Assessment.confirmed_at.is_not(None),
        Assessment.assessed_on >= day,
    )
    return bool((await session.scalars(counted)).one())


async def open_reassessment(session: AsyncSession, person_id: UUID) -> RowMapping | None:
    """The change of a person that waits to be looked at."""
    waiting = and_(Reassessment.person_id == person_id, Reassessment.closed_on.is_(None))
    rows = await session.execute(select(Reassessment.__table__).where(waiting))
    return rows.mappings().one_or_none()


async def reassessment_by_id(session: AsyncSession, reassessment_id: UUID) -> RowMapping:
    """One reported change that was just written."""
    wanted = Reassessment.reassessment_id == reassessment_id
    rows = await session.execute(select(Reassessment.__table__).where(wanted))
    return rows.mappings().one()


async def reassessments(
    session: AsyncSession,
    within: Within,
    *,
    due_before: date | None,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Changes still to be looked at, by id; ``due_before`` keeps those whose last day is gone.

    Nobody waits for who no longer counts in a household that is tekun and on assistance.
    """
    conditions = [in_divisions(Reassessment.division_code, covered) for covered in within]
    conditions += [Reassessment.closed_on.is_(None), _still_tekun()]
    if due_before is not None:
        conditions.append(Reassessment.due_on < due_before)
    if after is not None:
        conditions.append(Reassessment.reassessment_id > after)
    rows = select(Reassessment.__table__).where(*conditions)
    ordered = rows.order_by(Reassessment.reassessment_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def institution_by_id(
    session: AsyncSession, institution_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One institution."""
    mine = and_(
        Institution.institution_id == institution_id,
        in_divisions(Institution.division_code, divisions),
    )
    rows = await session.execute(select(Institution.__table__).where(mine))
    return rows.mappings().one_or_none()


async def institutions(
    session: AsyncSession, within: Within, *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """The register of institutions, by id."""
    conditions = [in_divisions(Institution.division_code, covered) for covered in within]
    if after is not None:
        conditions.append(Institution.institution_id > after)
    rows = select(Institution.__table__).where(*conditions).order_by(Institution.institution_id)
    return (await session.execute(rows.limit(limit))).mappings().all()


async def accounts_of(
    session: AsyncSession, institution_ids: Sequence[UUID]
) -> dict[UUID, list[RowMapping]]:
    """Every account that these institutions had, as they were entered."""
    of_these = among(InstitutionAccount.institution_id, institution_ids)
    rows = select(InstitutionAccount.__table__).where(of_these)
    found: dict[UUID, list[RowMapping]] = {}
    ordered = rows.order_by(InstitutionAccount.account_id)
    for row in (await session.execute(ordered)).mappings():
        found.setdefault(row["institution_id"], []).append(row)
    return found


async def paid_accounts(
    session: AsyncSession, institution_ids: Sequence[UUID]
) -> Sequence[RowMapping]:
    """Institutions with the account that is paid to, the one confirmed last: ``name``,
    ``account_encrypted``. One without a confirmed account is not there.
    """
    account = InstitutionAccount
    query = (
        select(Institution.institution_id, Institution.name, account.account_encrypted)
        .join(account, account.institution_id == Institution.institution_id)
        .where(among(Institution.institution_id, institution_ids))
        .where(account.confirmed_at.is_not(None))
        .order_by(Institution.institution_id, account.confirmed_at.desc())
        .ext(distinct_on(Institution.institution_id))
    )
    return (await session.execute(query)).mappings().all()


async def waiting_account(session: AsyncSession, institution_id: UUID) -> RowMapping | None:
    """The account of an institution that waits for its second officer, locked."""
    waiting = and_(
        InstitutionAccount.institution_id == institution_id,
        InstitutionAccount.confirmed_at.is_(None),
        InstitutionAccount.withdrawn_at.is_(None),
    )
    rows = select(InstitutionAccount.__table__).where(waiting).with_for_update()
    return (await session.execute(rows)).mappings().one_or_none()


async def supports_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> list[dict[str, Any]]:
    """The forms of support of a household's people by person and day, each with its last day.

    ``until`` is None while it goes on. Of two rows of one day the later entered stands alone.
    """
    mine = and_(
        Support.household_id == household_id, in_divisions(Support.division_code, divisions)
    )
    by_day = distinct_on(Support.person_id, Support.valid_from)
    standing = select(Support.__table__).where(mine).ext(by_day)
    ordered = standing.order_by(
        Support.person_id, Support.valid_from, Support.support_id.desc()
    ).subquery()
    next_one = func.lead(ordered.c.valid_from).over(
        partition_by=ordered.c.person_id, order_by=ordered.c.valid_from
    )
    rows = select(ordered, (next_one - 1).label("until"))
    wanted = rows.order_by(ordered.c.person_id, ordered.c.valid_from)
    return [dict(row) for row in (await session.execute(wanted)).mappings()]


def _still_tekun() -> ColumnElement[bool]:
    home, member = household_copy.c, member_copy.c
    same = and_(
        home.household_id == Reassessment.household_id,
        member.household_id == Reassessment.household_id,
        member.person_id == Reassessment.person_id,
    )
    running = [state.value for state in State if state.on_assistance]
    now = and_(home.category == Category.TEKUN.value, home.state.in_(running), member.counted)
    return exists().where(same, now)


_HOUSEHOLD = text("""
    SELECT division_code, state, category,
        ARRAY(SELECT member.person_id FROM member_copy AS member
              WHERE member.household_id = copy.household_id AND member.counted) AS members
    FROM household_copy AS copy WHERE household_id = :household_id
""")
