"""How to order a month's payment run, follow it, and see what was paid."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.payments import actions, queries
from services.relief.payments.rules import ExceptionCode, Programme
from shared import api, audit
from shared.asked import DIVISION_PATTERN, AskedCursor, Month, after_id, page
from shared.auth import Caller, requires
from shared.contracts.assistance import AssistanceStatus
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["payments"])

Reader = Annotated[Caller, requires("relief.payments:read")]
Writer = Annotated[Caller, requires("relief.payments:write")]
Payer = Annotated[Caller, requires("relief.payments:pay")]


class RunOrder(BaseModel):
    """Pay a programme's month in a division; next month at the latest."""

    model_config = ConfigDict(extra="forbid")

    programme: Programme
    month: Month
    division: str = Field(pattern=DIVISION_PATTERN, examples=["331124"])


class Confirmation(BaseModel):
    """The day on which the bank paid the run out."""

    model_config = ConfigDict(extra="forbid")

    paid_on: date


class RunView(BaseModel):
    """A run and what it has come to so far. ``total_yuan`` is the sum of its payments.

    Its progress is that of the job ``job_id`` under ``/v1/jobs``.
    """

    run_id: UUID
    programme: Programme
    month: Month
    division: str
    job_id: UUID
    created_by: str
    created_at: datetime
    paid_on: date | None
    confirmed_by: str | None
    approved_by: str | None
    approved_at: datetime | None
    payments: int
    exceptions: int
    total_yuan: Decimal


class PaymentView(BaseModel):
    """One month's money for one household, in yuan; ``grant_id`` is one of its programme."""

    model_config = ConfigDict(from_attributes=True)

    payment_id: UUID
    run_id: UUID
    programme: Programme
    payee_household_id: UUID
    division_code: str
    month: Month
    amount: Decimal
    fund: str
    grant_id: UUID
    payee_institution_id: UUID | None
    status: AssistanceStatus
    granted_on: date
    paid_on: date | None
    version: int


class ExceptionView(BaseModel):
    """A household that was due and not paid or sent, and whom of it that is about.

    ``settled_at``: it went to the bank after all.
    """

    model_config = ConfigDict(from_attributes=True)

    exception_id: UUID
    household_id: UUID
    division_code: str
    code: ExceptionCode
    detail: dict[str, Any]
    created_at: datetime
    settled_at: datetime | None


@routes.post("/payment-runs", status_code=202, summary="Order a month's payments")
async def order_run(
    session: SessionDep, caller: Writer, order: RunOrder, response: Response
) -> RunView:
    """The run is paid by a job; ordered again, a month pays only what has become due since.

    403 ``division_not_covered``; 422 ``month_too_late`` for a month after the next.
    """
    run_id = await actions.open_run(
        session,
        caller,
        programme=order.programme,
        month=order.month,
        division_code=order.division,
    )
    response.headers["Location"] = f"/v1/payment-runs/{run_id}"
    return await _run(session, caller, run_id)


@routes.get("/payment-runs/{run_id}", summary="A run and its sum")
async def run(session: SessionDep, caller: Reader, run_id: UUID) -> RunView:
    """404 ``payment_run_unknown`` where there is none that the caller may see."""
    return await _run(session, caller, run_id)


@routes.post(
    "/payment-runs/{run_id}/confirm", status_code=202, summary="The bank has paid a run out"
)
async def confirm_run(
    session: SessionDep, caller: Payer, run_id: UUID, confirmation: Confirmation
) -> RunView:
    """By hand, where the bank takes no file: a job marks its payments as paid.

    By another officer than the one who ordered it. 404 ``payment_run_unknown``; 409
    ``run_not_over``, ``bank_file_exists``, ``run_confirmed``, ``same_officer``; 422
    ``paid_on_impossible``.
    """
    await actions.confirm_run(session, caller, run_id, paid_on=confirmation.paid_on)
    return await _run(session, caller, run_id)


@routes.get("/payment-runs/{run_id}/exceptions", summary="Who was due and could not be paid")
async def exceptions(
    session: SessionDep,
    caller: Reader,
    run_id: UUID,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[ExceptionView]:
    """By exception id; 404 ``payment_run_unknown`` as above."""
    await _run(session, caller, run_id)
    rows = await queries.exceptions_of(
        session, run_id, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await _note_reading(session, caller, rows[:limit], "household_id")
    return page(rows, limit, "exception_id", ExceptionView)


@routes.get("/payments", summary="Payments by run, household or month")
async def payments(
    session: SessionDep,
    caller: Reader,
    *,
    run: UUID | None = None,
    household: UUID | None = None,
    month: Month | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[PaymentView]:
    """By payment id, which ascends with time."""
    asked = queries.PaymentFilter(run_id=run, household_id=household, month=month)
    rows = await queries.payments(
        session, asked, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await _note_reading(session, caller, rows[:limit], "payee_household_id")
    return page(rows, limit, "payment_id", PaymentView)


async def _note_reading(
    session: AsyncSession, caller: Caller, rows: Sequence[RowMapping], household: str
) -> None:
    """What a household is paid is personal data: every look at it is written down."""
    await audit.record(
        session,
        caller,
        action="payments.read",
        subject_type="household",
        subject_id=[row[household] for row in rows],
        division_code=[row["division_code"] for row in rows],
    )


async def _run(session: AsyncSession, caller: Caller, run_id: UUID) -> RunView:
    row = await queries.run_by_id(session, run_id, caller.divisions)
    if row is None:
        raise NotFound("payment_run_unknown", f"no payment run {run_id}")
    totals = await queries.run_totals(session, run_id, caller.divisions)
    return RunView.model_validate({**row, "division": row["division_code"], **asdict(totals)})
