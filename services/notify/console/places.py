"""Which place a page is about, what it is called, and where one may go from there."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from services.notify.console import queries
from shared.asked import DIVISION_PATTERN, prefix_of
from shared.divisions import ancestors
from shared.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Step:
    """One place with its code; no code for all that the officer covers."""

    code: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The place of a page: its name, the way to it, and what lies below."""

    code: str | None
    name: str
    path: tuple[Step, ...]
    below: tuple[Step, ...]


EVERYTHING = "全部管辖范围"


def asked(request: Request, divisions: Sequence[str]) -> str | None:
    """The place asked for; an officer of a single place stands in it from the start.

    Raises BadRequest for what is no division code. One that is not covered shows nothing, for
    every query filters by the officer's own divisions.
    """
    given = request.query_params.get("division", "")
    if given and re.fullmatch(DIVISION_PATTERN, given) is None:
        raise BadRequest("division_unreadable", "a division code has 2, 4, 6, 9 or 12 digits")
    if given:
        return given
    return _written_out(divisions[0]) if len(divisions) == 1 else None


async def place_of(session: AsyncSession, divisions: Sequence[str], division: str | None) -> Where:
    """The place by its code, with the covered places above and below it."""
    below = await queries.children_of(session, divisions, division)
    steps = tuple(Step(row["code"], row["name"]) for row in below)
    if division is None:
        return Where(code=None, name=EVERYTHING, path=(), below=steps)
    covered = [
        code
        for code in reversed(ancestors(division))
        if any(prefix_of(code).startswith(prefix) for prefix in divisions)
    ]
    names = await names_of(session, {*covered, division})
    path = tuple(Step(code, names[code]) for code in covered)
    return Where(code=division, name=names[division], path=path, below=steps)


async def names_of(session: AsyncSession, codes: Iterable[str]) -> dict[str, str]:
    """The names of places by code; one without a name is called by its code."""
    wanted = set(codes)
    found = await queries.names_of(session, wanted)
    return {code: found.get(code, code) for code in wanted}


def _written_out(prefix: str) -> str:
    """A city's prefix as its code: ``3311`` is ``331100``; longer ones are codes already."""
    return prefix.ljust(6, "0")
