"""How to order a year's premium run, follow it, and see who was subsidised with what, and why."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.premiums import actions, queries
from services.relief.premiums.explanations import explain
from services.relief.premiums.queries import SubsidyFilter
from services.relief.premiums.rules import ExceptionCode
from shared import api, audit
from shared.asked import (
    DIVISION_PATTERN,
    AskedCursor,
    AskedDivision,
    after_id,
    page,
    prefixes,
)
from shared.auth import Caller, requires
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import Category
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["premiums"])

Reader = Annotated[Caller, requires("relief.premiums:read")]
Writer = Annotated[Caller, requires("relief.premiums:write")]
Payer = Annotated[Caller, requires("relief.premiums:pay")]


class PremiumOrder(BaseModel):
    """Subsidise a division's people for an insured year, by what they were on ``enrolled_on``."""

    model_config = ConfigDict(extra="forbid")

    year: int = Field(ge=2000, le=2999, examples=[2027])
    division: str = Field(pattern=DIVISION_PATTERN, examples=["331124"])
    enrolled_on: date | None = Field(default=None, description="today when left out")


class PremiumConfirmation(BaseModel):
    """The day on which the contributions were paid to the insurer."""

    model_config = ConfigDict(extra="forbid")

    paid_on: date


class PremiumRunHead(BaseModel):
    """A run as it was ordered; its progress is that of the job ``job_id`` under ``/v1/jobs``."""

    model_config = ConfigDict(from_attributes=True)

    run_id: UUID
    year: int
    division_code: str
    enrolled_on: date
    job_id: UUID
    created_by: str
    created_at: datetime
    paid_on: date | None
    confirmed_by: str | None


class PremiumRunView(PremiumRunHead):
    """A run and what it has come to so far. ``total_yuan`` is the sum of its subsidies."""

    people: int
    exceptions: int
    total_yuan: Decimal


class SubsidyView(BaseModel):
    """What of one person's contribution is paid, in yuan."""

    model_config = ConfigDict(from_attributes=True)

    subsidy_id: UUID
    run_id: UUID
    year: int
    person_id: UUID
    household_id: UUID
    division_code: str
    category: Category
    amount: Decimal
    status: AssistanceStatus
    granted_on: date
    paid_on: date | None
    version: int


class ExplainedSubsidy(SubsidyView):
    """A subsidy with what it rests on: standing, figures, steps, and a Chinese text."""

    explanation: dict[str, Any]


class PremiumExceptionView(BaseModel):
    """Somebody of a household on assistance whom the run did not subsidise, and why."""

    model_config = ConfigDict(from_attributes=True)

    exception_id: UUID
    household_id: UUID
    person_id: UUID
    division_code: str
    code: ExceptionCode
    created_at: datetime


@routes.post("/premium-runs", status_code=202, summary="Order a year's premium subsidies")
async def order_run(
    session: SessionDep, caller: Writer, order: PremiumOrder, response: Response
) -> PremiumRunView:
    """The run is carried out by a job; ordered again it takes those identified since.

    403 ``division_not_covered``; 422 ``enrolment_closed``, ``enrolment_to_come``.
    """
    run_id = await actions.open_run(
        session,
        caller,
        year=order.year,
        division_code=order.division,
        enrolled_on=order.enrolled_on,
    )
    response.headers["Location"] = f"/v1/premium-runs/{run_id}"
    return await _run(session, caller, run_id)


@routes.get("/premium-runs", summary="Premium runs, such as those that wait to be confirmed")
async def runs(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    year: Annotated[int | None, Query(ge=2000, le=2999)] = None,
    unconfirmed: Annotated[bool, Query(description="only what is not paid yet")] = False,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[PremiumRunHead]:
    """By run id, which ascends with time; no person is in it."""
    rows = await queries.runs(
        session,
        (caller.divisions, prefixes(division)),
        year=year,
        unconfirmed=unconfirmed,
        after=after_id(cursor),
        limit=limit + 1,
    )
    return page(rows, limit, "run_id", PremiumRunHead)


@routes.get("/premium-runs/{run_id}", summary="A premium run and its sum")
async def run(session: SessionDep, caller: Reader, run_id: UUID) -> PremiumRunView:
    """404 ``premium_run_unknown`` where there is none that the caller may see."""
    return await _run(session, caller, run_id)


@routes.post(
    "/premium-runs/{run_id}/confirm", status_code=202, summary="A run's contributions were paid"
)
async def confirm_run(
    session: SessionDep, caller: Payer, run_id: UUID, confirmation: PremiumConfirmation
) -> PremiumRunView:
    """A job marks its subsidies as paid. By another officer than the one who ordered it.

    404 ``premium_run_unknown``; 409 ``run_not_over``, ``run_confirmed``, ``same_officer``; 422
    ``paid_on_impossible``.
    """
    await actions.confirm_run(session, caller, run_id, paid_on=confirmation.paid_on)
    return await _run(session, caller, run_id)


@routes.get("/premium-runs/{run_id}/exceptions", summary="Who was not subsidised, and why")
async def exceptions(
    session: SessionDep,
    caller: Reader,
    run_id: UUID,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[PremiumExceptionView]:
    """By exception id; 404 ``premium_run_unknown`` as above."""
    await _run(session, caller, run_id)
    rows = await queries.exceptions_of(
        session, run_id, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await _note_reading(session, caller, rows[:limit])
    return page(rows, limit, "exception_id", PremiumExceptionView)


@routes.get("/premium-subsidies", summary="Subsidies by run, household, person, year or division")
async def subsidies(
    session: SessionDep,
    caller: Reader,
    *,
    run: UUID | None = None,
    household: UUID | None = None,
    person: UUID | None = None,
    year: Annotated[int | None, Query(ge=2000, le=2999)] = None,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[SubsidyView]:
    """By subsidy id, which ascends with time."""
    rows = await queries.subsidies(
        session,
        SubsidyFilter(run_id=run, household_id=household, person_id=person, year=year),
        (caller.divisions, prefixes(division)),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await _note_reading(session, caller, rows[:limit])
    return page(rows, limit, "subsidy_id", SubsidyView)


@routes.get("/premium-subsidies/{subsidy_id}", summary="One subsidy and its explanation")
async def subsidy(session: SessionDep, caller: Reader, subsidy_id: UUID) -> ExplainedSubsidy:
    """404 ``premium_subsidy_unknown`` where there is none that the caller may see."""
    row = await queries.subsidy_by_id(session, subsidy_id, caller.divisions)
    if row is None:
        raise NotFound("premium_subsidy_unknown", f"no premium subsidy {subsidy_id}")
    await _note_reading(session, caller, [row])
    return ExplainedSubsidy.model_validate({**row, "explanation": explain(row["basis"])})


async def _run(session: AsyncSession, caller: Caller, run_id: UUID) -> PremiumRunView:
    row = await queries.run_by_id(session, run_id, caller.divisions)
    if row is None:
        raise NotFound("premium_run_unknown", f"no premium run {run_id}")
    totals = await queries.run_totals(session, run_id, caller.divisions)
    return PremiumRunView.model_validate({**row, **asdict(totals)})


async def _note_reading(session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]) -> None:
    """Who is subsidised with what is personal data: every look at it is written down."""
    await audit.record_rows(
        session, caller, rows, action="premium.read", subject_type="person", subject="person_id"
    )
