"""What is asked of dwellings and of the files of dangerous houses."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record
from sqlalchemy import ColumnElement, RowMapping, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.housing.surveys.models import DangerousHouseFile, Dwelling
from services.housing.surveys.rules import ClosingCause, FileState
from shared.contracts.registry import HouseGrade, State
from shared.db import COVERED, driver_of, in_divisions
from shared.household_copy import household_copy

Within = Sequence[Sequence[str]]
"""Filters by division that must all hold: the caller's and the one asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellingFilter:
    """Which dwellings are asked for; what is None does not matter."""

    grade: HouseGrade | None = None
    unknown: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFilter:
    """Which files are asked for; what is None does not matter."""

    grade: HouseGrade | None = None
    state: FileState | None = None


async def lock_dwellings(
    session: AsyncSession, household_ids: Sequence[UUID], divisions: Sequence[str]
) -> dict[UUID, Record]:
    """These households' dwellings by household, locked in the order of their ids.

    Whoever writes anything of a household's housing holds its dwelling first.
    """
    rows = await driver_of(session).fetch(_LOCK_DWELLINGS, household_ids, divisions)
    return {row["household_id"]: row for row in rows}


async def open_files(session: AsyncSession, household_ids: Sequence[UUID]) -> dict[UUID, Record]:
    """The open file of each of these households that has one."""
    rows = await driver_of(session).fetch(_OPEN_FILES, household_ids)
    return {row["household_id"]: row for row in rows}


_LOCK_DWELLINGS = f"""
    SELECT * FROM dwellings
    WHERE household_id = ANY ($1) AND {COVERED.format(at=2, column="division_code")}
    ORDER BY household_id FOR UPDATE
"""  # noqa: S608 (our own condition)
_OPEN_FILES = """
    SELECT * FROM dangerous_house_files WHERE household_id = ANY ($1) AND state = 'open'
"""


async def lock_unseen(session: AsyncSession, limit: int) -> Sequence[UUID]:
    """Households of the copy that have no dwelling yet, locked; others' work is passed over."""
    known = household_copy.c
    seen = exists().where(Dwelling.household_id == known.household_id)
    wanted = select(known.household_id).where(~seen, known.state != State.CLOSED)
    locked = wanted.order_by(known.household_id).limit(limit).with_for_update(skip_locked=True)
    return (await session.scalars(locked)).all()


async def dwelling_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One household's dwelling."""
    mine = in_divisions(Dwelling.division_code, divisions)
    wanted = select(Dwelling.__table__).where(Dwelling.household_id == household_id, mine)
    return (await session.execute(wanted)).mappings().one_or_none()


async def dwellings(
    session: AsyncSession, asked: DwellingFilter, within: Within, *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Dwellings of households on file, by household id."""
    wanted = select(Dwelling.__table__).where(*_on_file(within))
    if asked.grade is not None:
        wanted = wanted.where(Dwelling.grade == asked.grade)
    if asked.unknown is not None:
        unknown = Dwelling.grade.is_(None)
        wanted = wanted.where(unknown if asked.unknown else ~unknown)
    if after is not None:
        wanted = wanted.where(Dwelling.household_id > after)
    ordered = wanted.order_by(Dwelling.household_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def coverage(session: AsyncSession, within: Within) -> RowMapping:
    """How many dwellings of a division are graded and how; ``unknown`` is what is left to do."""
    grades = [
        func.count().filter(Dwelling.grade == grade).label(f"grade_{grade.lower()}")
        for grade in HouseGrade
    ]
    wanted = select(
        func.count().label("households"),
        *grades,
        func.count().filter(Dwelling.grade.is_(None)).label("unknown"),
        func.count().filter(~Dwelling.occupied).label("vacated"),
    ).where(*_on_file(within))
    return (await session.execute(wanted)).mappings().one()


async def file_by_id(
    session: AsyncSession, file_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One dangerous-house file."""
    mine = in_divisions(DangerousHouseFile.division_code, divisions)
    wanted = select(DangerousHouseFile.__table__).where(DangerousHouseFile.file_id == file_id, mine)
    return (await session.execute(wanted)).mappings().one_or_none()


async def files_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """All files a household ever had, oldest first."""
    mine = in_divisions(DangerousHouseFile.division_code, divisions)
    wanted = select(DangerousHouseFile.__table__).where(
        DangerousHouseFile.household_id == household_id, mine
    )
    rows = await session.execute(wanted.order_by(DangerousHouseFile.file_id))
    return rows.mappings().all()


async def files(
    session: AsyncSession, asked: FileFilter, within: Within, *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Files by their ids, which ascend with time."""
    conditions = _file_divisions(within)
    if asked.grade is not None:
        conditions.append(DangerousHouseFile.grade == asked.grade)
    if asked.state is not None:
        conditions.append(DangerousHouseFile.state == asked.state)
    if after is not None:
        conditions.append(DangerousHouseFile.file_id > after)
    wanted = select(DangerousHouseFile.__table__).where(*conditions)
    ordered = wanted.order_by(DangerousHouseFile.file_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def count_files(session: AsyncSession, within: Within) -> RowMapping:
    """How many files there are by grade and state, and how many a renovation has closed."""
    open_, c = (
        DangerousHouseFile.state == FileState.OPEN,
        DangerousHouseFile.grade == HouseGrade.C,
    )
    counted = {
        "open": open_,
        "closed": ~open_,
        "grade_c": c,
        "grade_d": ~c,
        "open_c": open_ & c,
        "open_d": open_ & ~c,
        "renovated": DangerousHouseFile.closing_cause == ClosingCause.RENOVATED,
    }
    wanted = select(
        func.count().label("files"),
        *(func.count().filter(holds).label(name) for name, holds in counted.items()),
    ).where(*_file_divisions(within))
    return (await session.execute(wanted)).mappings().one()


def _file_divisions(within: Within) -> list[ColumnElement[bool]]:
    return [in_divisions(DangerousHouseFile.division_code, covered) for covered in within]


def _on_file(within: Within) -> list[ColumnElement[bool]]:
    covered = [in_divisions(Dwelling.division_code, prefixes) for prefixes in within]
    return [Dwelling.on_file.is_(True), *covered]
