"""What is asked of labour profiles, households under R30 and zero-employment cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.labour.models import HouseholdLabour, LabourProfile, ZeroEmploymentCase
from services.employment.labour.rules import Status
from shared.contracts.assistance import GuaranteeKind
from shared.db import in_divisions
from shared.guarantees import guarantees_given

_PROFILES = LabourProfile.__table__
_CASES = ZeroEmploymentCase.__table__
_OPEN = ZeroEmploymentCase.closed_on.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFilter:
    """Which profiles are asked for; what is None does not matter."""

    status: Status | None = None
    household_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases are asked for; ``overdue`` ones are open past the last day for an offer."""

    open: bool | None = None
    overdue: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A division in figures. All but ``resting`` count profiles that somebody works on.

    ``willing`` are those of the able who want to work: ``employed`` and ``unemployed`` together.
    """

    profiles: int
    able: int
    willing: int
    employed: int
    unemployed: int
    resting: int
    zero_employment_open: int
    zero_employment_overdue: int


async def profiles(
    session: AsyncSession,
    asked: ProfileFilter,
    within: Sequence[Sequence[str]],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Profiles by person id. ``within``: prefixes asked for, and those the caller may see."""
    conditions = [in_divisions(LabourProfile.division_code, covered) for covered in within]
    if asked.status is not None:
        conditions.append(LabourProfile.status == asked.status)
    if asked.household_id is not None:
        conditions.append(LabourProfile.household_id == asked.household_id)
    if after is not None:
        conditions.append(LabourProfile.person_id > after)
    rows = select(_PROFILES).where(*conditions).order_by(LabourProfile.person_id).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def profile_of(
    session: AsyncSession, person_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One person's profile."""
    mine = in_divisions(LabourProfile.division_code, divisions)
    rows = select(_PROFILES).where(LabourProfile.person_id == person_id, mine)
    return (await session.execute(rows)).mappings().one_or_none()


async def profiles_of_household(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """The profiles kept in a household, by person id."""
    mine = in_divisions(LabourProfile.division_code, divisions)
    rows = select(_PROFILES).where(LabourProfile.household_id == household_id, mine)
    return (await session.execute(rows.order_by(LabourProfile.person_id))).mappings().all()


async def household(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """What a household comes to under R30, with its guarantee as it was last stated."""
    given = guarantees_given.c
    stated = and_(
        given.household_id == HouseholdLabour.household_id,
        given.kind == GuaranteeKind.EMPLOYMENT.value,
    )
    rows = (
        select(HouseholdLabour.__table__, given.met, given.evidence_id, given.since)
        .outerjoin(guarantees_given, stated)
        .where(HouseholdLabour.household_id == household_id)
        .where(in_divisions(HouseholdLabour.division_code, divisions))
    )
    return (await session.execute(rows)).mappings().one_or_none()


async def cases_of_household(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """All cases of a household, the newest first."""
    mine = in_divisions(ZeroEmploymentCase.division_code, divisions)
    rows = select(_CASES).where(ZeroEmploymentCase.household_id == household_id, mine)
    ordered = rows.order_by(ZeroEmploymentCase.case_id.desc())
    return (await session.execute(ordered)).mappings().all()


async def cases(
    session: AsyncSession,
    asked: CaseFilter,
    within: Sequence[Sequence[str]],
    *,
    today: date,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Cases by their ids, which ascend with time."""
    conditions = [in_divisions(ZeroEmploymentCase.division_code, covered) for covered in within]
    if asked.open is not None:
        conditions.append(_OPEN if asked.open else ~_OPEN)
    if asked.overdue is not None:
        conditions.append(_overdue(today) if asked.overdue else _in_time(today))
    if after is not None:
        conditions.append(ZeroEmploymentCase.case_id > after)
    rows = select(_CASES).where(*conditions).order_by(ZeroEmploymentCase.case_id).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def summary(
    session: AsyncSession, within: Sequence[Sequence[str]], *, today: date
) -> Summary:
    """The figures of a division today."""
    status = LabourProfile.status
    active = status != Status.RESTING
    counted = select(
        func.count().filter(active).label("profiles"),
        func.count().filter(active, LabourProfile.able).label("able"),
        func.count().filter(active, LabourProfile.able, LabourProfile.willing).label("willing"),
        func.count().filter(status == Status.EMPLOYED).label("employed"),
        func.count().filter(status == Status.UNEMPLOYED).label("unemployed"),
        func.count().filter(~active).label("resting"),
    ).where(*(in_divisions(LabourProfile.division_code, covered) for covered in within))
    open_cases = select(
        func.count().label("zero_employment_open"),
        func.count().filter(_overdue(today)).label("zero_employment_overdue"),
    ).where(_OPEN, *(in_divisions(ZeroEmploymentCase.division_code, each) for each in within))
    people = (await session.execute(counted)).mappings().one()
    households = (await session.execute(open_cases)).mappings().one()
    return Summary(**people, **households)


async def due_households(session: AsyncSession, day: date, *, limit: int) -> list[UUID]:
    """The next households that must be looked at by ``day``, the longest due first."""
    due = HouseholdLabour.look_again_on
    rows = select(HouseholdLabour.household_id).where(due <= day)
    ordered = rows.order_by(due, HouseholdLabour.household_id).limit(limit)
    return list((await session.scalars(ordered)).all())


def _overdue(today: date) -> ColumnElement[bool]:
    return and_(_OPEN, ZeroEmploymentCase.offer_due_on < today)


def _in_time(today: date) -> ColumnElement[bool]:
    due = ZeroEmploymentCase.offer_due_on
    return or_(~_OPEN, due.is_(None), due >= today)
