"""How to order a term's aid, follow it, mark it paid, and see who got what."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.aid import actions, queries
from services.education.aid.rules import TERM_PATTERN, ExceptionCode, parse_term
from services.education.aid.views import AidView
from shared import api, audit
from shared.asked import DIVISION_PATTERN, AskedCursor, after_id, page
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["aid"])

Reader = Annotated[Caller, requires("education.aid:read")]
Writer = Annotated[Caller, requires("education.aid:write")]
Payer = Annotated[Caller, requires("education.aid:pay")]


def _term(written: str) -> str:
    return str(parse_term(written))


WrittenTerm = Annotated[str, AfterValidator(_term), Field(examples=["2026-autumn"], max_length=20)]


class RunOrder(BaseModel):
    """Grant a term's aid in a division, from the month before the term to its end."""

    model_config = ConfigDict(extra="forbid")

    term: WrittenTerm
    division: str = Field(pattern=DIVISION_PATTERN, examples=["331124"])


class Payment(BaseModel):
    """The day on which a run's aid was paid out."""

    model_config = ConfigDict(extra="forbid")

    paid_on: date


class RunView(BaseModel):
    """A run and what it has come to so far. ``total_yuan`` is the sum of its aid.

    Its progress is that of ``job_id`` and, once marked as paid, ``pay_job_id`` under ``/v1/jobs``.
    """

    run_id: UUID
    term: str
    division: str
    job_id: UUID
    created_by: str
    created_at: datetime
    aided: int
    paid: int
    exceptions: int
    total_yuan: Decimal
    paid_on: date | None
    paid_by: str | None
    pay_job_id: UUID | None


class ExceptionView(BaseModel):
    """A pupil who was due and got nothing, and why."""

    model_config = ConfigDict(from_attributes=True)

    exception_id: UUID
    person_id: UUID
    household_id: UUID
    division_code: str
    code: ExceptionCode
    detail: dict[str, Any]
    created_at: datetime


@routes.post("/aid-runs", status_code=202, summary="Order a term's aid")
async def order_run(
    session: SessionDep, caller: Writer, order: RunOrder, response: Response
) -> RunView:
    """The run is granted by a job; ordered again, a term grants only what has become due since.

    403 ``division_not_covered``, ``officer_unknown``; 422 ``term_too_early``, ``term_over``.
    """
    run_id = await actions.open_run(
        session, caller, term=parse_term(order.term), division_code=order.division
    )
    response.headers["Location"] = f"/v1/aid-runs/{run_id}"
    return await _run(session, caller, run_id)


@routes.post("/aid-runs/{run_id}/pay", status_code=202, summary="A run's aid was paid out")
async def pay_run(session: SessionDep, caller: Payer, run_id: UUID, payment: Payment) -> RunView:
    """A job marks its aid as paid. By another officer than the one who ordered it.

    403 ``officer_unknown``; 404 ``aid_run_unknown``; 409 ``same_officer``, ``run_paid``,
    ``run_not_over``; 422 ``paid_on_impossible``.
    """
    await actions.pay_run(session, caller, run_id, paid_on=payment.paid_on)
    return await _run(session, caller, run_id)


@routes.get("/aid-runs/{run_id}", summary="A run and its sum")
async def run(session: SessionDep, caller: Reader, run_id: UUID) -> RunView:
    """404 ``aid_run_unknown`` where there is none that the caller may see."""
    return await _run(session, caller, run_id)


@routes.get("/aid-runs/{run_id}/exceptions", summary="Who was due and got nothing")
async def exceptions(
    session: SessionDep,
    caller: Reader,
    run_id: UUID,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[ExceptionView]:
    """By exception id; 404 ``aid_run_unknown`` as above."""
    await _run(session, caller, run_id)
    rows = await queries.exceptions_of(
        session, run_id, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await _note_reading(session, caller, rows[:limit])
    return page(rows, limit, "exception_id", ExceptionView)


@routes.get("/aid", summary="Aid by run, household, person or term")
async def list_aid(
    session: SessionDep,
    caller: Reader,
    *,
    run: UUID | None = None,
    household: UUID | None = None,
    person: UUID | None = None,
    term: Annotated[str | None, Query(pattern=TERM_PATTERN)] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[AidView]:
    """By aid id, which ascends with time."""
    asked = queries.AidFilter(run_id=run, household_id=household, person_id=person, term=term)
    rows = await queries.aid(
        session, asked, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await _note_reading(session, caller, rows[:limit])
    return page(rows, limit, "aid_id", AidView)


async def _note_reading(session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]) -> None:
    """What a child is given is personal data: every look at it is written down."""
    await audit.record_rows(
        session, caller, rows, action="aid.read", subject_type="student", subject="person_id"
    )


async def _run(session: AsyncSession, caller: Caller, run_id: UUID) -> RunView:
    row = await queries.run_by_id(session, run_id, caller.divisions)
    if row is None:
        raise NotFound("aid_run_unknown", f"no aid run {run_id}")
    totals = await queries.run_totals(session, run_id, caller.divisions)
    return RunView.model_validate({**row, "division": row["division_code"], **asdict(totals)})
