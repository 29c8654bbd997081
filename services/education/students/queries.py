"""What is asked of pupils' files, of gaps, and of the households that pupils live in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import RowMapping, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.students.files import File, FileState, Home, Statement
from services.education.students.models import (
    SchoolGap,
    SettledHousehold,
    StudentEntry,
    StudentFile,
)
from services.education.students.rules import Standing
from shared.asked import prefixes
from shared.contracts.registry import Education, SchoolStage, State
from shared.db import driver_of, in_divisions


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFilter:
    """Which files are asked for; what is None does not matter."""

    division: str | None = None
    stage: str | None = None
    state: str | None = None
    household_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A division's figures. ``by_stage`` counts enrolled pupils."""

    by_stage: dict[str, int]
    enrolled: int
    left: int
    out_of_school: int
    tasks: int


async def files(
    session: AsyncSession,
    asked: FileFilter,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Files by person id."""
    conditions = [
        in_divisions(StudentFile.division_code, divisions),
        in_divisions(StudentFile.division_code, prefixes(asked.division)),
    ]
    wanted: tuple[tuple[Any, object], ...] = (
        (StudentFile.stage, asked.stage),
        (StudentFile.state, asked.state),
        (StudentFile.household_id, asked.household_id),
    )
    conditions += [column == value for column, value in wanted if value is not None]
    if after is not None:
        conditions.append(StudentFile.person_id > after)
    rows = select(StudentFile.__table__).where(*conditions)
    ordered = rows.order_by(StudentFile.person_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


async def file_of(
    session: AsyncSession, person_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One person's file."""
    mine = and_(
        StudentFile.person_id == person_id, in_divisions(StudentFile.division_code, divisions)
    )
    rows = await session.execute(select(StudentFile.__table__).where(mine))
    return rows.mappings().one_or_none()


async def history_of(
    session: AsyncSession, person_id: UUID, divisions: Sequence[str]
) -> Sequence[RowMapping]:
    """A file's history, in the order in which it was written."""
    mine = and_(
        StudentEntry.person_id == person_id, in_divisions(StudentEntry.division_code, divisions)
    )
    rows = select(StudentEntry.__table__).where(mine).order_by(StudentEntry.entry_id)
    return (await session.execute(rows)).mappings().all()


async def summary(session: AsyncSession, within: Sequence[Sequence[str]]) -> Summary:
    """The figures of what all of ``within`` cover."""
    lying = [in_divisions(StudentFile.division_code, covered) for covered in within]
    grouped = select(StudentFile.state, StudentFile.stage, func.count()).where(*lying)
    counted = (await session.execute(grouped.group_by(StudentFile.state, StudentFile.stage))).all()
    by_stage = {stage: n for state, stage, n in counted if state == FileState.ENROLLED}
    missing = [in_divisions(SchoolGap.division_code, covered) for covered in within]
    gaps = select(SchoolGap.standing, func.count().label("members")).where(
        SchoolGap.ended_on.is_(None), *missing
    )
    grouped_gaps = await session.execute(gaps.group_by(SchoolGap.standing))
    found = {row.standing: row.members for row in grouped_gaps}
    return Summary(
        by_stage={
            stage.value: by_stage.get(stage, 0) for stage in SchoolStage if stage in by_stage
        },
        enrolled=sum(by_stage.values()),
        left=sum(n for state, _, n in counted if state == FileState.LEFT),
        out_of_school=found.get(Standing.OUT_OF_SCHOOL, 0),
        tasks=found.get(Standing.UNKNOWN, 0),
    )


async def tasks(
    session: AsyncSession, within: Sequence[Sequence[str]], *, after: UUID | None, limit: int
) -> Sequence[RowMapping]:
    """Members of whom something has to be found out, by the task's id."""
    conditions = [in_divisions(SchoolGap.division_code, covered) for covered in within]
    if after is not None:
        conditions.append(SchoolGap.gap_id > after)
    rows = select(SchoolGap.__table__).where(
        SchoolGap.ended_on.is_(None), SchoolGap.standing == Standing.UNKNOWN, *conditions
    )
    return (await session.execute(rows.order_by(SchoolGap.gap_id).limit(limit))).mappings().all()


async def households_due(session: AsyncSession, day: date, limit: int) -> Sequence[UUID]:
    """The next households in which a member's standing may have changed by ``day``."""
    due = select(SettledHousehold.household_id).where(SettledHousehold.look_again_on <= day)
    ordered = due.order_by(SettledHousehold.look_again_on, SettledHousehold.household_id)
    return (await session.scalars(ordered.limit(limit))).all()


async def places_of(
    session: AsyncSession, household_ids: Sequence[UUID]
) -> dict[UUID, tuple[str, State]]:
    """Where these households live and how their files stand."""
    rows = await driver_of(session).fetch(_PLACES, household_ids)
    return {row["household_id"]: (row["division_code"], State(row["state"])) for row in rows}


async def people_of(session: AsyncSession, household_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Who may have to do with these households' files: members now, and pupils filed there."""
    rows = await driver_of(session).fetch(_PEOPLE, household_ids)
    return [row["person_id"] for row in rows]


async def hold_files(session: AsyncSession, person_ids: Sequence[UUID]) -> dict[UUID, File]:
    """These persons' files, locked in the order of persons."""
    rows = await driver_of(session).fetch(_HOLD_FILES, person_ids)
    return {row["person_id"]: _file(row) for row in rows}


async def homes_of(session: AsyncSession, person_ids: Sequence[UUID]) -> dict[UUID, list[Home]]:
    """Every household that these persons stand in, by person."""
    found: dict[UUID, list[Home]] = {}
    for home in await _homes(session, _HOMES_OF, person_ids):
        found.setdefault(home.person_id, []).append(home)
    return found


async def homes_in(session: AsyncSession, household_ids: Sequence[UUID]) -> dict[UUID, list[Home]]:
    """The members of these households who count, by household."""
    found: dict[UUID, list[Home]] = {}
    for home in await _homes(session, _HOMES_IN, household_ids):
        found.setdefault(home.household_id, []).append(home)
    return found


async def statements_of(session: AsyncSession, person_ids: Sequence[UUID]) -> dict[UUID, Statement]:
    """The live statements about these persons."""
    rows = await driver_of(session).fetch(_STATEMENTS, person_ids)
    return {row["person_id"]: _statement(row) for row in rows}


async def open_gaps(session: AsyncSession, household_ids: Sequence[UUID]) -> Sequence[Record]:
    """What is missing in these households as it was last found."""
    return await driver_of(session).fetch(_OPEN_GAPS, household_ids)


async def _homes(session: AsyncSession, query: str, ids: Sequence[UUID]) -> list[Home]:
    return [_home(row) for row in await driver_of(session).fetch(query, ids)]


def _home(row: Record) -> Home:
    return Home(
        person_id=row["person_id"],
        household_id=row["household_id"],
        division_code=row["division_code"],
        state=State(row["state"]),
        effective_from=row["effective_from"],
        birth_date=row["birth_date"],
        education=row["education"] and Education(row["education"]),
        stage=_stage(row["school_stage"]),
        left_behind=row["left_behind"],
        counted=row["counted"],
        version=row["version"],
    )


def _file(row: Record) -> File:
    return File(
        person_id=row["person_id"],
        household_id=row["household_id"],
        division_code=row["division_code"],
        stage=SchoolStage(row["stage"]),
        stage_known=row["stage_known"],
        state=FileState(row["state"]),
        left_behind=row["left_behind"],
        school_code=row["school_code"],
    )


def _statement(row: Record) -> Statement:
    return Statement(
        statement_id=row["statement_id"],
        person_id=row["person_id"],
        kind=row["kind"],
        stage=_stage(row["stage"]),
        from_day=row["from_day"],
        school_code=row["school_code"],
        registry_stage=_stage(row["registry_stage"]),
        division_code=row["division_code"],
    )


def _stage(text: str | None) -> SchoolStage | None:
    return None if text is None else SchoolStage(text)


# What settling asks is asked of every batch of events, so it goes straight to the driver.
_PLACES = """
    SELECT household_id, division_code, state FROM household_copy WHERE household_id = ANY ($1)
"""
_PEOPLE = """
    SELECT person_id FROM member_copy WHERE household_id = ANY ($1)
    UNION SELECT person_id FROM student_files WHERE household_id = ANY ($1)
"""
_HOLD_FILES = """
    SELECT * FROM student_files WHERE person_id = ANY ($1) ORDER BY person_id FOR UPDATE
"""
_HOMES = """
    SELECT member.person_id, member.household_id, home.division_code, home.state,
        home.effective_from, home.version, member.birth_date, member.education,
        member.school_stage, member.left_behind, member.counted
    FROM member_copy AS member JOIN household_copy AS home USING (household_id)
"""
_HOMES_OF = f"{_HOMES} WHERE member.person_id = ANY ($1)"
_HOMES_IN = f"{_HOMES} WHERE member.household_id = ANY ($1) AND member.counted"
_STATEMENTS = """
    SELECT * FROM school_statements WHERE superseded_at IS NULL AND person_id = ANY ($1)
"""
_OPEN_GAPS = "SELECT * FROM school_gaps WHERE ended_on IS NULL AND household_id = ANY ($1)"
