"""Months, divisions and pages as callers ask for them: ``2026-12``; ``331124`` or ``331100``."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, PlainSerializer, WithJsonSchema
from sqlalchemy import RowMapping

from shared import api
from shared.auth import Caller
from shared.db import EVERYWHERE

View = TypeVar("View", bound=BaseModel)

MONTH_PATTERN = "^[0-9]{4}-(0[1-9]|1[0-2])$"
DIVISION_PATTERN = "^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12})$"


def parse_month(given: Any) -> Any:
    """``"2026-12"`` -> 2026-12-01; a date must be the first of its month."""
    if isinstance(given, date):
        if given.day != 1:
            raise ValueError("a month is stored as its first day")
        return given
    if not isinstance(given, str) or re.fullmatch(MONTH_PATTERN, given) is None:
        raise ValueError("write a month as YYYY-MM, such as 2026-12")
    return date.fromisoformat(f"{given}-01")


Month = Annotated[
    date,
    BeforeValidator(parse_month),
    PlainSerializer(lambda month: f"{month:%Y-%m}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": MONTH_PATTERN, "examples": ["2026-12"]}),
]
"""A month in a request or an answer, stored as its first day."""

AskedMonth = Annotated[Month | None, Query(description="next month when left out")]
AskedDivision = Annotated[
    str | None,
    Query(
        pattern=DIVISION_PATTERN,
        examples=["331124"],
        description="all that the token covers when left out",
    ),
]
AskedCursor = Annotated[str | None, Query(max_length=500, description="next_cursor, as given")]


def after_id(cursor: str | None) -> UUID | None:
    """The id that the next page begins after. Raises BadRequest for a cursor we never gave."""
    return None if cursor is None else api.decode_cursor(cursor, UUID)[0]


def page(
    rows: Sequence[RowMapping] | Sequence[dict[str, Any]], limit: int, key: str, view: type[View]
) -> api.Page[View]:
    """A page of up to ``limit`` rows by their id ``key``; one row more says that more follow."""
    shown = rows[:limit]
    more = api.encode_cursor([shown[-1][key]]) if len(rows) > limit else None
    return api.Page(items=[view.model_validate(row) for row in shown], next_cursor=more)


def prefix_of(division_code: str) -> str:
    """What the codes of everything inside a division begin with.

    A city's and a province's own codes end in zeros that their counties' do not share:
    ``331100`` -> ``3311``, ``330000`` -> ``33``; ``331124`` and longer codes stay.
    """
    if len(division_code) != len("331100") or not division_code.endswith("00"):
        return division_code
    return division_code[:2] if division_code.endswith("0000") else division_code[:4]


def prefixes(division: str | None) -> tuple[str, ...]:
    """The filter of what was asked for: everywhere when nothing was."""
    return (EVERYWHERE,) if division is None else (prefix_of(division),)


def within(caller: Caller, division: str | None) -> list[str]:
    """What was asked for as far as the caller's token covers it, for statements in plain SQL.

    Example: a token for 331124 asks for 331100: ``["331124"]``; for 331121: nothing.
    """
    return sorted(
        {
            max(asked, held, key=len)
            for asked in prefixes(division)
            for held in caller.divisions
            if asked.startswith(held) or held.startswith(asked)
        }
    )
