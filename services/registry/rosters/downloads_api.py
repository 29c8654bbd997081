"""Rosters out of the registry over HTTP: in the county's template, and with all that is known.

Each answer is streamed and noted once, before its first byte, with the division it is of.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households.views import PLAIN
from services.registry.rosters import exporting, monthly, monthly_queries, template, wide
from services.registry.rosters.monthly_queries import Asked
from services.registry.rosters.monthly_rules import ListKind, period
from services.registry.rosters.wide_values import Look
from shared import api, audit, clock, divisions
from shared.auth import Caller, requires
from shared.db import Database, SessionDep
from shared.divisions import Directory, Division
from shared.errors import Fault, NotFound, Refused

routes = api.router("/v1/rosters", tags=["rosters"])

Reads = Annotated[Caller, requires("registry.rosters:read")]
_PLACE = r"^([0-9]{6}|[0-9]{9}|[0-9]{12})$"
Place = Annotated[str, Query(pattern=_PLACE)]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"
_BYTES: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
XLSX_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {XLSX: _BYTES}}}
REMARKED_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {XLSX: _BYTES, ZIP: _BYTES}}}


class Book(BaseModel):
    """Which monthly book: of a division, by the name of its statistical month."""

    division: Annotated[str, Field(pattern=_PLACE)]
    month: Annotated[str, Field(pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$")]


@routes.get(
    "/export",
    summary="The roster of a division out of the registry (.xlsx)",
    response_class=StreamingResponse,
    responses=XLSX_ANSWER,
)
async def export(
    request: Request, session: SessionDep, caller: Reads, division: Place
) -> StreamingResponse:
    place, names = await place_of(session, caller, division)
    await _note(session, caller, "roster.export", division)
    today = clock.today()
    pages = exporting.pages(
        _database(request),
        division,
        names,
        divisions=caller.divisions,
        plain=caller.can(PLAIN),
    )
    body = template.workbook(f"{place.name}农村困难家庭花名册", stated(place, today), pages)
    return download(body, f"{place.name}花名册-{today:%Y%m%d}.xlsx")


@routes.get(
    "/full",
    summary="Every person of a division's files with all that the registry keeps (.xlsx)",
    response_class=StreamingResponse,
    responses=XLSX_ANSWER,
)
async def full(
    request: Request, session: SessionDep, caller: Reads, division: Place
) -> StreamingResponse:
    place, names = await place_of(session, caller, division)
    await _note(session, caller, "roster.export_full", division)
    today = clock.today()
    look = Look(names=names, plain=caller.can(PLAIN), on=today)
    body = wide.workbook(
        f"{place.name}农村困难家庭全量花名册",
        stated(place, today),
        _database(request),
        division,
        look,
        divisions=caller.divisions,
    )
    return download(body, f"{place.name}全量花名册-{today:%Y%m%d}.xlsx")


@routes.get(
    "/lists/{kind}",
    summary="A monthly book: households that came or went, or whose dibao rose or fell (.xlsx)",
    response_class=StreamingResponse,
    responses=XLSX_ANSWER,
)
async def monthly_list(
    request: Request,
    session: SessionDep,
    caller: Reads,
    kind: ListKind,
    book: Annotated[Book, Query()],
) -> StreamingResponse:
    place, names = await place_of(session, caller, book.division)
    first, today = date.fromisoformat(f"{book.month}-01"), clock.today()
    county = divisions.county_of(book.division)
    span = period(first, *await monthly_queries.cut_offs(session, county, first))
    if span.begins_on > today:
        fault = Fault("#/month", "month_ahead", f"该统计月自{span.begins_on:%Y年%m月%d日}起")
        raise Refused("month_ahead", "this month has not begun yet", faults=[fault])
    await _note(session, caller, "roster.list", book.division, kind=kind.value, month=book.month)
    asked = Asked(
        kind=kind, period=span, division=book.division, divisions=caller.divisions, today=today
    )
    days = f"{span.begins_on:%Y年%m月%d日}至{span.ends_on:%Y年%m月%d日}"
    body = monthly.workbook(
        f"{place.name}{first:%Y年%m月}{monthly.NAMES[kind]}",
        f"{stated(place, today)}　　统计时段：{days}",
        _database(request),
        asked,
        monthly.Look(names, caller.can(PLAIN)),
    )
    return download(body, f"{place.name}{monthly.NAMES[kind]}-{first:%Y%m}.xlsx")


async def place_of(
    session: AsyncSession, caller: Caller, division: str
) -> tuple[Division, Directory]:
    """The division and the names of its county. Raises NotFound beyond the caller's divisions."""
    if not caller.covers(division):
        raise NotFound("division_unknown", "no such division among those of this token")
    names = await divisions.directory(session, divisions.county_of(division))
    place = names.get(division)
    if place is None or place.level == "city":
        raise NotFound("division_unknown", "name a county, a township or a village")
    return place, names


def stated(place: Division, today: date) -> str:
    """The line below a title: who reports, on which day, in which units."""
    return f"填报单位：{place.name}　　填报日期：{today:%Y年%m月%d日}　　单位：户、人、元"


def download(
    body: AsyncIterator[bytes] | Iterator[bytes], name: str, media_type: str = XLSX
) -> StreamingResponse:
    """A workbook as an answer that nobody on the way keeps."""
    return StreamingResponse(
        body,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            "Cache-Control": "no-store",
        },
    )


def _database(request: Request) -> Database:
    database: Database = request.app.state.platform.database
    return database


async def _note(
    session: AsyncSession, caller: Caller, action: str, division: str, **what: str
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="division",
        subject_id=division,
        division_code=division,
        detail={"plain": caller.can(PLAIN), **what},
    )
