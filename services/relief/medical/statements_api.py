"""How to make a day's statement, read it as JSON or as a workbook, and confirm it as paid."""

import asyncio
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical import lists, statements, workbook
from services.relief.medical.api import MedicalGrantView, Reader, note_reading
from services.relief.medical.lists import GrantFilter
from shared import api
from shared.asked import (
    DIVISION_PATTERN,
    AskedCursor,
    AskedDivision,
    after_id,
    page,
    prefixes,
)
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound, Refused

routes = api.router("/v1/medical-statements", tags=["medical"])

Writer = Annotated[Caller, requires("relief.medical:write")]
Payer = Annotated[Caller, requires("relief.medical:pay")]
MOST_ROWS = 20_000
"""A workbook is made in one request; the city's busiest day is a tenth of this."""


class StatementOrder(BaseModel):
    """Put together what was decided in a division on a day."""

    model_config = ConfigDict(extra="forbid")

    day: date
    division: str = Field(pattern=DIVISION_PATTERN, examples=["331124"])


class StatementConfirmation(BaseModel):
    """The day on which the fund paid the statement out."""

    model_config = ConfigDict(extra="forbid")

    paid_on: date


class StatementHead(BaseModel):
    """A statement as it was made; its progress is that of the job ``job_id`` under ``/v1/jobs``."""

    model_config = ConfigDict(from_attributes=True)

    statement_id: UUID
    day: date
    division_code: str
    job_id: UUID
    created_by: str
    created_at: datetime
    paid_on: date | None
    confirmed_by: str | None


class StatementView(StatementHead):
    """A statement and what it comes to so far, in yuan; corrections downwards lower the total."""

    amounts: int
    people: int
    total_yuan: Decimal
    taken_back_yuan: Decimal


@routes.post("", status_code=202, summary="Make the statement of a day and division")
async def make(
    session: SessionDep, caller: Writer, order: StatementOrder, response: Response
) -> StatementView:
    """A job collects it; made again, a day's further statement holds what was decided since.

    403 ``division_not_covered``; 422 ``day_to_come``.
    """
    statement_id = await statements.make(
        session, caller, day=order.day, division_code=order.division
    )
    response.headers["Location"] = f"/v1/medical-statements/{statement_id}"
    return await _statement(session, caller, statement_id)


@routes.get("", summary="Statements, such as those that wait for their confirmation")
async def listed(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    day: date | None = None,
    unconfirmed: Annotated[bool, Query(description="only what is not paid yet")] = False,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[StatementHead]:
    """By statement id, which ascends with time; nobody's bill is in it."""
    rows = await statements.statements(
        session,
        (caller.divisions, prefixes(division)),
        day=day,
        unconfirmed=unconfirmed,
        after=after_id(cursor),
        limit=limit + 1,
    )
    return page(rows, limit, "statement_id", StatementHead)


@routes.get("/{statement_id}", summary="A statement and its sum")
async def statement(session: SessionDep, caller: Reader, statement_id: UUID) -> StatementView:
    """404 ``medical_statement_unknown`` where there is none that the caller may see."""
    return await _statement(session, caller, statement_id)


@routes.post("/{statement_id}/confirm", status_code=202, summary="The fund has paid a statement")
async def confirm(
    session: SessionDep, caller: Payer, statement_id: UUID, confirmation: StatementConfirmation
) -> StatementView:
    """A job marks its amounts as paid. By another officer than the one who made it.

    404 ``medical_statement_unknown``; 409 ``statement_not_over``, ``statement_confirmed``,
    ``same_officer``; 422 ``paid_on_impossible``.
    """
    await statements.confirm(session, caller, statement_id, paid_on=confirmation.paid_on)
    return await _statement(session, caller, statement_id)


@routes.get("/{statement_id}/amounts", summary="Who, for which bill, how much")
async def amounts(
    session: SessionDep,
    caller: Reader,
    statement_id: UUID,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[MedicalGrantView]:
    """By grant id; 404 ``medical_statement_unknown`` as above."""
    await _statement(session, caller, statement_id)
    rows = await lists.grants(
        session,
        GrantFilter(statement_id=statement_id),
        (caller.divisions,),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await note_reading(session, caller, rows[:limit])
    return page(rows, limit, "grant_id", MedicalGrantView)


@routes.get(
    "/{statement_id}/workbook",
    summary="The statement as an Excel workbook, without names",
    responses={200: {"content": {workbook.MEDIA_TYPE: {}}}},
    response_class=Response,
)
async def as_workbook(session: SessionDep, caller: Reader, statement_id: UUID) -> Response:
    """404 ``medical_statement_unknown``; 422 ``statement_too_long`` past 20,000 amounts."""
    head = await _statement(session, caller, statement_id)
    if head.amounts > MOST_ROWS:
        raise Refused(
            "statement_too_long",
            f"{head.amounts:,} amounts are too many for one workbook: page through /amounts",
        )
    rows = await lists.grants(
        session,
        GrantFilter(statement_id=statement_id),
        (caller.divisions,),
        after=None,
        limit=MOST_ROWS,
    )
    await note_reading(session, caller, rows)
    content = await asyncio.to_thread(
        workbook.write, rows, day=head.day, division=head.division_code, total=head.total_yuan
    )
    name = f"medical-{head.division_code}-{head.day:%Y%m%d}.xlsx"
    disposition = f'attachment; filename="{name}"'
    return Response(
        content, media_type=workbook.MEDIA_TYPE, headers={"Content-Disposition": disposition}
    )


async def _statement(session: AsyncSession, caller: Caller, statement_id: UUID) -> StatementView:
    row = await statements.statement_by_id(session, statement_id, caller.divisions)
    if row is None:
        raise NotFound("medical_statement_unknown", f"no medical statement {statement_id}")
    found = await statements.totals(session, statement_id, caller.divisions)
    return StatementView.model_validate({**row, **asdict(found)})
