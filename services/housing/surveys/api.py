"""How to ask where households live and which houses are dangerous, and to say who moved out."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.housing.renovations import queries as renovations
from services.housing.surveys import actions, queries
from services.housing.surveys.rules import FileState
from services.housing.surveys.schemas import (
    Coverage,
    DwellingView,
    FileSummary,
    FileView,
    Occupancy,
    WholeDwelling,
)
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.contracts.registry import HouseGrade
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["surveys"])

Reader = Annotated[Caller, requires("housing.surveys:read")]
Writer = Annotated[Caller, requires("housing.surveys:write")]

AskedGrade = Annotated[HouseGrade | None, Query(description="the grade last reported")]


@routes.get("/dwellings", summary="Dwellings of households on file; unknown=true: survey tasks")
async def dwellings(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    grade: AskedGrade = None,
    unknown: Annotated[bool | None, Query(description="true: not graded yet")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[DwellingView]:
    """By household id."""
    rows = await queries.dwellings(
        session,
        queries.DwellingFilter(grade=grade, unknown=unknown),
        (caller.divisions, prefixes(division)),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await _note_reading(session, caller, "dwellings.read", rows[:limit])
    return page(rows, limit, "household_id", DwellingView)


@routes.get("/dwellings/summary", summary="How far a division's survey has come")
async def coverage(session: SessionDep, caller: Reader, division: AskedDivision = None) -> Coverage:
    found = await queries.coverage(session, (caller.divisions, prefixes(division)))
    return Coverage(division=division, **found)


@routes.get("/households/{household_id}/dwelling", summary="A household's dwelling and its files")
async def dwelling(session: SessionDep, caller: Reader, household_id: UUID) -> WholeDwelling:
    """404 ``dwelling_unknown`` where there is none that the caller may see."""
    return await _whole(session, caller, household_id)


@routes.post(
    "/households/{household_id}/dwelling/occupancy", summary="The household moved out or back in"
)
async def record_occupancy(
    session: SessionDep, caller: Writer, household_id: UUID, body: Occupancy
) -> WholeDwelling:
    """Living safely elsewhere meets the guarantee; moving back into a C or D house ends that.

    409 ``household_closed``; 422 ``date_in_future``, ``date_before_last_move``.
    """
    await actions.record_occupancy(
        session, caller, household_id, occupied=body.occupied, on=body.from_, reason=body.reason
    )
    return await _whole(session, caller, household_id)


@routes.get("/house-files", summary="Files of dangerous houses")
async def house_files(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    grade: AskedGrade = None,
    state: FileState | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[FileView]:
    """By file id, which ascends with time."""
    rows = await queries.files(
        session,
        queries.FileFilter(grade=grade, state=state),
        (caller.divisions, prefixes(division)),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await _note_reading(session, caller, "house_files.read", rows[:limit])
    return page(rows, limit, "file_id", FileView)


@routes.get("/house-files/summary", summary="A division's dangerous houses in figures")
async def file_summary(
    session: SessionDep, caller: Reader, division: AskedDivision = None
) -> FileSummary:
    found = await queries.count_files(session, (caller.divisions, prefixes(division)))
    return FileSummary(division=division, **found)


@routes.get("/house-files/{file_id}", summary="One file")
async def house_file(session: SessionDep, caller: Reader, file_id: UUID) -> FileView:
    """404 ``house_file_unknown`` where there is none that the caller may see."""
    row = await queries.file_by_id(session, file_id, caller.divisions)
    if row is None:
        raise NotFound("house_file_unknown", f"no dangerous-house file {file_id}")
    await _note_reading(session, caller, "house_files.read", [row])
    return FileView.model_validate(row)


async def _whole(session: AsyncSession, caller: Caller, household_id: UUID) -> WholeDwelling:
    row = await queries.dwelling_of(session, household_id, caller.divisions)
    if row is None:
        raise NotFound("dwelling_unknown", f"no dwelling of a household {household_id}")
    files = await queries.files_of(session, household_id, caller.divisions)
    works = await renovations.renovations_of(session, household_id, caller.divisions)
    await _note_reading(session, caller, "dwellings.read", [row])
    return WholeDwelling.model_validate(
        {**row, "files": [dict(each) for each in files], "renovations": [dict(w) for w in works]}
    )


async def _note_reading(
    session: AsyncSession, caller: Caller, action: str, rows: Sequence[RowMapping]
) -> None:
    """In what house a household lives is personal data: every look at it is written down."""
    await audit.record_rows(
        session, caller, rows, action=action, subject_type="household", subject="household_id"
    )
