"""What is asked of aid runs and aid, and whom a run looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Text, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.aid.models import Aid, AidException, AidRun
from services.education.standards.queries import Held, in_force
from services.education.students.files import FileState
from services.education.students.models import StudentFile
from shared.asked import prefixes
from shared.contracts.assistance import AssistanceStatus
from shared.db import among, in_divisions
from shared.household_copy import household_copy, member_copy

HOUSEHOLDS, MEMBERS = household_copy.c, member_copy.c


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTotals:
    """What a run has come to so far, in yuan, reckoned from its rows."""

    aided: int
    paid: int
    total_yuan: Decimal
    exceptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AidFilter:
    """Which aid is asked for; what is None does not matter."""

    run_id: UUID | None = None
    household_id: UUID | None = None
    person_id: UUID | None = None
    term: str | None = None


async def run_by_id(
    session: AsyncSession, run_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One run, locked where it is to be changed."""
    mine = and_(AidRun.run_id == run_id, in_divisions(AidRun.division_code, divisions))
    rows = select(AidRun.__table__).where(mine)
    found = await session.execute(rows.with_for_update() if lock else rows)
    return found.mappings().one_or_none()


async def run_totals(session: AsyncSession, run_id: UUID, divisions: Sequence[str]) -> RunTotals:
    """The sum of a run's aid to the fen, and how many pupils it had to leave out."""
    mine = and_(Aid.run_id == run_id, in_divisions(Aid.division_code, divisions))
    zero = Decimal("0.00")
    summed = select(
        func.count(),
        func.count().filter(Aid.status == AssistanceStatus.PAID),
        func.coalesce(func.sum(Aid.amount), zero),
    ).where(mine)
    aided, paid, total = (await session.execute(summed)).one()
    left_out = and_(
        AidException.run_id == run_id, in_divisions(AidException.division_code, divisions)
    )
    counted = select(func.count()).select_from(AidException).where(left_out)
    exceptions = (await session.scalars(counted)).one()
    return RunTotals(aided=aided, paid=paid, total_yuan=total, exceptions=exceptions)


async def exceptions_of(
    session: AsyncSession,
    run_id: UUID,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Whom a run could not aid, by exception id."""
    conditions = [
        AidException.run_id == run_id,
        in_divisions(AidException.division_code, divisions),
    ]
    if after is not None:
        conditions.append(AidException.exception_id > after)
    rows = select(AidException.__table__).where(*conditions)
    ordered = rows.order_by(AidException.exception_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def aid(
    session: AsyncSession,
    asked: AidFilter,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Aid by its ids, which ascend with time."""
    conditions = [in_divisions(Aid.division_code, divisions)]
    wanted: tuple[tuple[Any, object], ...] = (
        (Aid.run_id, asked.run_id),
        (Aid.household_id, asked.household_id),
        (Aid.person_id, asked.person_id),
        (Aid.term, asked.term),
    )
    conditions += [column == value for column, value in wanted if value is not None]
    if after is not None:
        conditions.append(Aid.aid_id > after)
    rows = select(Aid.__table__).where(*conditions).order_by(Aid.aid_id).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def aid_of(
    session: AsyncSession, person_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """All aid of one person, by term as it was granted."""
    mine = and_(Aid.person_id == person_id, in_divisions(Aid.division_code, divisions))
    rows = select(Aid.__table__).where(mine).order_by(Aid.aid_id)
    return (await session.execute(rows)).mappings().all()


async def count_pupils(session: AsyncSession, division: str) -> int:
    """How many files of enrolled pupils a division has."""
    counted = select(func.count()).select_from(StudentFile).where(*_enrolled_in(division))
    return (await session.scalars(counted)).one()


async def pupils_in(
    session: AsyncSession, division: str, *, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """The next ``limit`` enrolled pupils of a division, by person id."""
    rows = select(StudentFile.person_id).where(*_enrolled_in(division))
    if after is not None:
        rows = rows.where(StudentFile.person_id > after)
    return (await session.scalars(rows.order_by(StudentFile.person_id).limit(limit))).all()


async def hold_pupils(session: AsyncSession, person_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Those of these persons who are enrolled, with their household's periods, by person id.

    Their files are kept from changing until the transaction ends, and read only then. ``counted``
    is None for one who is no member of the household any more.
    """
    theirs = among(StudentFile.person_id, person_ids)
    held = select(StudentFile.person_id).where(theirs).order_by(StudentFile.person_id)
    await session.execute(held.with_for_update(read=True))
    member = and_(
        MEMBERS.household_id == StudentFile.household_id,
        MEMBERS.person_id == StudentFile.person_id,
    )
    rows = (
        select(
            StudentFile.person_id,
            StudentFile.household_id,
            StudentFile.division_code,
            StudentFile.stage,
            StudentFile.stage_known,
            cast(HOUSEHOLDS.periods, Text).label("periods"),
            MEMBERS.counted,
        )
        .join(household_copy, HOUSEHOLDS.household_id == StudentFile.household_id)
        .outerjoin(member_copy, member)
        .where(theirs, StudentFile.state == FileState.ENROLLED)
        .order_by(StudentFile.person_id)
    )
    return (await session.execute(rows)).mappings().all()


async def programmes_given(
    session: AsyncSession, person_ids: Sequence[UUID], term: str
) -> dict[UUID, str]:
    """What these persons have been granted for a term already."""
    rows = select(Aid.person_id, Aid.programme).where(
        Aid.term == term, among(Aid.person_id, person_ids)
    )
    return {row.person_id: row.programme for row in await session.execute(rows)}


async def hold_unpaid(session: AsyncSession, run_id: UUID, limit: int) -> Sequence[RowMapping]:
    """A run's next approved rows, locked by their ids."""
    rows = select(Aid.__table__).where(
        Aid.run_id == run_id, Aid.status == AssistanceStatus.APPROVED
    )
    locked = rows.order_by(Aid.aid_id).limit(limit).with_for_update()
    return (await session.execute(locked)).mappings().all()


async def amounts_on(
    session: AsyncSession, keys: Sequence[str], division_codes: Sequence[str], on: date
) -> Held:
    """The yearly amounts that hold in these divisions on a day."""
    return await in_force(session, keys, set(division_codes), on)


def _enrolled_in(division: str) -> list[Any]:
    return [
        StudentFile.state == FileState.ENROLLED,
        in_divisions(StudentFile.division_code, prefixes(division)),
    ]
