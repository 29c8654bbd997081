"""Administrative divisions by GB/T 2260 and the statistics bureau's 12-digit codes.

Codes nest by their digits: city 331100, county 331124, township 331124101, village 331124101203.
``Directory`` finds a township or a village by the names that people write.
"""

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi import Path as UrlPath
from pydantic import ValidationError
from sqlalchemy import CheckConstraint, Column, Date, Table, Text, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import api, clock
from shared.auth import current_caller
from shared.db import SessionDep, in_divisions, platform_metadata
from shared.directory import Directory, Division, Level
from shared.errors import NotFound

__all__ = [
    "CODE",
    "DIVISIONS",
    "LENGTHS",
    "Directory",
    "Division",
    "Level",
    "ancestors",
    "county_of",
    "covers",
    "directory",
    "load_csv",
    "read_csv",
    "router",
]

DIVISIONS = Table(
    "divisions",
    platform_metadata,
    Column("code", Text(collation="C"), primary_key=True),
    Column("name", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("parent_code", Text(collation="C"), index=True),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("merged_into", Text(collation="C")),
    Column("urban_rural", Text),
    CheckConstraint("level IN ('city', 'county', 'township', 'village')", name="known_level"),
)
CODE = r"^[0-9]{6}(?:[0-9]{3}(?:[0-9]{3})?)?$"
LENGTHS: dict[Level, int] = {"city": 6, "county": 6, "township": 9, "village": 12}


def covers(prefixes: Iterable[str], code: str) -> bool:
    """Whether ``code`` lies under one of the code ``prefixes``: 331124 covers 331124101203."""
    return any(code.startswith(prefix) for prefix in prefixes)


def county_of(code: str) -> str:
    """The county of a village, township or county code: 331124101203 lies in 331124."""
    return code[:6]


def ancestors(code: str) -> tuple[str, ...]:
    """``code`` and all it lies in, nearest first, up to the province.

    331124101203 gives 331124101203, 331124101, 331124, 331100, 330000.
    """
    chain = [code[:length] for length in (12, 9, 6) if len(code) >= length]
    chain += [f"{code[:4]}00", f"{code[:2]}0000"]
    return tuple(dict.fromkeys(chain))


async def directory(session: AsyncSession, under: str = "") -> Directory:
    """A Directory of the divisions whose code begins with ``under`` (all, when left out).

    Those abolished without a successor are not in it.
    """
    known = DIVISIONS.c
    wanted = select(DIVISIONS).where(
        or_(
            known.valid_to.is_(None),
            known.valid_to >= clock.today(),
            known.merged_into.is_not(None),
        )
    )
    if under:
        wanted = wanted.where(in_divisions(known.code, [under]))
    rows = await session.execute(wanted.order_by(known.code))
    return Directory([Division.model_validate(dict(row)) for row in rows.mappings()])


async def find(session: AsyncSession, code: str) -> Division | None:
    """The division of ``code``, merged away or not."""
    rows = await session.execute(select(DIVISIONS).where(DIVISIONS.c.code == code))
    row = rows.mappings().first()
    return Division.model_validate(dict(row)) if row else None


_COLUMNS = ", ".join(column.name for column in DIVISIONS.c)
_UPSERT = text(
    f"""
    INSERT INTO divisions AS known ({_COLUMNS})
    SELECT * FROM unnest(
        CAST(:code AS text[]), CAST(:name AS text[]), CAST(:level AS text[]),
        CAST(:parent_code AS text[]), CAST(:valid_from AS date[]), CAST(:valid_to AS date[]),
        CAST(:merged_into AS text[]), CAST(:urban_rural AS text[]))
    ON CONFLICT (code) DO UPDATE SET
        name = excluded.name, level = excluded.level, parent_code = excluded.parent_code,
        valid_from = excluded.valid_from, valid_to = excluded.valid_to,
        merged_into = excluded.merged_into, urban_rural = excluded.urban_rural
    WHERE known IS DISTINCT FROM excluded
    RETURNING code
    """  # noqa: S608 (constant column names)
)


async def load_csv(session: AsyncSession, path: Path) -> int:
    """Load an edition of the divisions; gives the rows changed, 0 for the same file again.

    What the file leaves out stays. Raises ValueError naming the line that is wrong, before
    anything is written.
    """
    rows = read_csv(path)
    columns = {name: [getattr(row, name) for row in rows] for name in Division.model_fields}
    result = await session.execute(_UPSERT, columns)
    return len(result.all())


def read_csv(path: Path) -> list[Division]:
    """The divisions of a CSV file with a header of our columns. Raises ValueError with the line."""
    rows: list[Division] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            try:
                rows.append(_division({name: value or None for name, value in row.items()}))
            except ValueError as wrong:
                raise ValueError(f"{path.name}, line {line}: {_first_fault(wrong)}") from wrong
    known = {row.code for row in rows}
    for line, division in enumerate(rows, start=2):
        if division.level != "city" and division.parent_code not in known:
            raise ValueError(f"{path.name}, line {line}: its parent is not in the file")
    if len(known) != len(rows):
        raise ValueError(f"{path.name}: a code stands in it twice")
    return rows


def _division(row: dict[str, str | None]) -> Division:
    division = Division.model_validate(row)
    if not re.fullmatch(CODE, division.code) or len(division.code) != LENGTHS[division.level]:
        raise ValueError(f"a {division.level} code has {LENGTHS[division.level]} digits")
    return division


def _first_fault(wrong: ValueError) -> str:
    if isinstance(wrong, ValidationError):
        first = wrong.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(wrong)


def router() -> APIRouter:
    """``GET /v1/divisions`` and ``GET /v1/divisions/{code}``, for every caller: they are public."""
    routes = api.router("/v1/divisions", tags=["divisions"])
    for path, endpoint, summary in (
        ("", _list_divisions, "Divisions by parent or name"),
        ("/{code}", _one_division, "One division"),
    ):
        routes.get(path, summary=summary, dependencies=[Depends(current_caller)])(endpoint)
    return routes


async def _list_divisions(
    session: SessionDep,
    *,
    parent: Annotated[str | None, Query(pattern=CODE)] = None,
    level: Level | None = None,
    name: Annotated[str | None, Query(max_length=50, description="how it begins")] = None,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: api.Limit = 100,
) -> api.Page[Division]:
    known = DIVISIONS.c
    asked = ((known.parent_code, parent), (known.level, level))
    wanted = select(DIVISIONS).where(*(column == value for column, value in asked if value))
    if name:
        wanted = wanted.where(known.name.startswith(name, autoescape=True))
    if cursor:
        wanted = wanted.where(known.code > api.decode_cursor(cursor, str)[0])
    rows = await session.execute(wanted.order_by(known.code).limit(limit + 1))
    found = [Division.model_validate(dict(row)) for row in rows.mappings()]
    more = api.encode_cursor([found[limit - 1].code]) if len(found) > limit else None
    return api.Page(items=found[:limit], next_cursor=more)


async def _one_division(
    session: SessionDep, code: Annotated[str, UrlPath(pattern=CODE)]
) -> Division:
    found = await find(session, code)
    if found is None:
        raise NotFound("division_unknown", f"{code} is no division that this platform knows")
    return found
