"""How the plan of a household is drafted, signed, followed and read (C53)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from services.registry.households import sealed, views
from services.registry.plans import actions, queries
from services.registry.plans.measures import MeasureKind
from services.registry.plans.rules import Content, Measure, MeasureState, PlanState
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.contracts.registry import Category, Cause
from shared.db import SessionDep
from shared.errors import NotFound

household_routes = api.router("/v1/households/{household_id}", tags=["plans"])
routes = api.router("/v1/plans", tags=["plans"])
measure_routes = api.router("/v1/plan-measures", tags=["plans"])
Reader = Annotated[Caller, requires("registry.plans:read")]
Writer = Annotated[Caller, requires("registry.plans:write")]
Decider = Annotated[Caller, requires("registry.plans:decide")]
Code = Annotated[str, Field(max_length=100)]
Words = Annotated[str, Field(max_length=4000)]
Yuan = Annotated[Decimal, Field(max_digits=14, decimal_places=2)]
Mu = Annotated[Decimal, Field(max_digits=10, decimal_places=2)]
Strict = ConfigDict(extra="forbid", str_strip_whitespace=True)


class MeasureIn(BaseModel):
    """One measure: against which cause, who answers for it, its money in yuan and its days."""

    model_config = Strict

    kind: MeasureKind
    cause: Cause
    bureau: Code
    officer_id: Code
    budget: Yuan
    fund: Code
    begins_on: date
    due_on: date


class ContentIn(BaseModel):
    """What the plan says; ``target_income`` in yuan a head and year, land in mu."""

    model_config = Strict

    target_income: Yuan
    arable_mu: Mu = Decimal(0)
    forest_mu: Mu = Decimal(0)
    words: Words = ""
    measures: Annotated[list[MeasureIn], Field(min_length=1, max_length=50)]

    def content(self) -> Content:
        """As the rules take it."""
        measures = tuple(Measure(**dict(each)) for each in self.measures)
        return Content(**dict(self) | {"measures": measures})


class SigningIn(BaseModel):
    """The day on which the household agreed."""

    model_config = Strict

    agreed_on: date


class ApprovalIn(BaseModel):
    """From which day the plan is in force."""

    model_config = Strict

    approved_on: date


class CarriedOutIn(BaseModel):
    """The day on which the measure was done."""

    model_config = Strict

    carried_out_on: date


class DroppedIn(BaseModel):
    """From when a measure is not pursued any more, and why."""

    model_config = Strict

    dropped_on: date
    reason: Words


class ResultIn(BaseModel):
    """What the household reached in a year; ``income`` in yuan a head."""

    model_config = Strict

    year: Annotated[int, Field(ge=2000, le=2200)]
    income: Yuan
    words: Words = ""


class MeasureOut(BaseModel):
    """A measure as it stands."""

    measure_id: UUID
    kind: MeasureKind
    cause: Cause
    bureau: str
    officer_id: str
    budget: Decimal
    fund: str
    begins_on: date
    due_on: date
    state: MeasureState
    ended_on: date | None
    ended_by: str | None
    reason: str


class PlanOut(BaseModel):
    """A version of a plan; ``unplanned``: the causes against which it does nothing."""

    plan_id: UUID
    household_id: UUID
    division_code: str
    version: int
    state: PlanState
    category: Category | None
    causes: list[Cause]
    unplanned: list[Cause]
    target_income: Decimal
    arable_mu: Decimal
    forest_mu: Decimal
    words: str
    measures: list[MeasureOut]
    drafted_on: date
    drafted_by: str
    agreed_on: date | None
    lead_signed_on: date | None
    lead_signed_by: str | None
    approved_on: date | None
    approved_by: str | None
    ended_on: date | None
    revision: int


class ResultOut(BaseModel):
    """What a year came to."""

    year: int
    plan_id: UUID
    income: Decimal
    words: str
    entered_on: date
    entered_by: str


class PlanException(BaseModel):
    """A household on assistance whose plan or lead is missing, or signed by another helper."""

    household_id: UUID
    household_no: str
    division_code: str
    category: Category | None
    plan_missing: bool
    lead_missing: bool
    signed_by_another: bool


@household_routes.post("/plans", status_code=201, summary="Draft the household's plan")
async def draft(
    session: SessionDep, caller: Writer, household_id: UUID, body: ContentIn, answer: Response
) -> PlanOut:
    plan_id = await actions.draft(session, caller, household_id, body.content())
    return await _shown(session, caller, plan_id, answer)


@household_routes.get("/plans", summary="Every version of the household's plan")
async def list_plans(session: SessionDep, caller: Reader, household_id: UUID) -> list[PlanOut]:
    await views.looked_at(session, caller, household_id, "plan.read")
    rows = await queries.plans_of(session, household_id, divisions=caller.divisions)
    return [await _out(session, row) for row in rows]


@household_routes.post("/plan-results", status_code=201, summary="Enter a year's result")
async def enter_result(
    session: SessionDep, caller: Writer, household_id: UUID, body: ResultIn
) -> list[ResultOut]:
    await actions.enter_result(session, caller, household_id, **dict(body))
    return await _results(session, caller, household_id)


@household_routes.get("/plan-results", summary="What the years of the plans came to")
async def list_results(session: SessionDep, caller: Reader, household_id: UUID) -> list[ResultOut]:
    await views.looked_at(session, caller, household_id, "plan_result.read")
    return await _results(session, caller, household_id)


@routes.get("/exceptions", summary="Households without plan or lead, or signed by another helper")
async def list_exceptions(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[PlanException]:
    rows = await queries.exceptions(
        session,
        divisions=caller.divisions,
        within=prefixes(division),
        after=after_id(cursor),
        limit=limit + 1,
    )
    return page(rows, limit, "household_id", PlanException)


@routes.get("/{plan_id}", summary="One plan with its measures")
async def read_plan(
    session: SessionDep, caller: Reader, plan_id: UUID, answer: Response
) -> PlanOut:
    return await _shown(session, caller, plan_id, answer)


@routes.put("/{plan_id}", summary="Change a draft")
async def redraft(
    session: SessionDep,
    caller: Writer,
    plan_id: UUID,
    *,
    body: ContentIn,
    revision: api.IfMatch,
    answer: Response,
) -> PlanOut:
    await actions.redraft(session, caller, plan_id, revision, body.content())
    return await _shown(session, caller, plan_id, answer)


@routes.post("/{plan_id}/sign", summary="Sign a draft as the household's lead helper")
async def sign(
    session: SessionDep,
    caller: Writer,
    plan_id: UUID,
    *,
    body: SigningIn,
    revision: api.IfMatch,
    answer: Response,
) -> PlanOut:
    await actions.sign(session, caller, plan_id, revision, body.agreed_on)
    return await _shown(session, caller, plan_id, answer)


@routes.post("/{plan_id}/approve", summary="Bring a signed plan into force")
async def approve(
    session: SessionDep,
    caller: Decider,
    plan_id: UUID,
    *,
    body: ApprovalIn,
    revision: api.IfMatch,
    answer: Response,
) -> PlanOut:
    await actions.approve(session, caller, plan_id, revision, body.approved_on)
    return await _shown(session, caller, plan_id, answer)


@measure_routes.post("/{measure_id}/carry-out", summary="A measure was carried out")
async def carry_out(
    session: SessionDep, caller: Writer, measure_id: UUID, body: CarriedOutIn, answer: Response
) -> PlanOut:
    plan_id = await actions.end_measure(session, caller, measure_id, body.carried_out_on, None)
    return await _shown(session, caller, plan_id, answer)


@measure_routes.post("/{measure_id}/drop", summary="A measure is not pursued any more")
async def drop(
    session: SessionDep, caller: Writer, measure_id: UUID, body: DroppedIn, answer: Response
) -> PlanOut:
    plan_id = await actions.end_measure(session, caller, measure_id, body.dropped_on, body.reason)
    return await _shown(session, caller, plan_id, answer)


async def _shown(session: SessionDep, caller: Caller, plan_id: UUID, answer: Response) -> PlanOut:
    """The plan as it stands, with its ETag; the look is noted. Raises NotFound out of reach."""
    row = await queries.one(session, plan_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("plan_not_found", "no such plan in the caller's divisions")
    await audit.record_rows(
        session,
        caller,
        [row],
        action="plan.read",
        subject_type="household",
        subject="household_id",
    )
    answer.headers["ETag"] = api.etag(row["revision"])
    return await _out(session, row)


async def _out(session: SessionDep, row: RowMapping) -> PlanOut:
    measures = await queries.measures_of(session, row["plan_id"])
    causes = [Cause(each) for each in row["causes"]]
    named = {each["cause"] for each in measures if each["state"] != MeasureState.DROPPED}
    shown: dict[str, Any] = {
        **row,
        "words": sealed.show_words(row["words_encrypted"]),
        "measures": [
            {**each, "reason": sealed.show_words(each["reason_encrypted"])} for each in measures
        ],
        "unplanned": [cause for cause in causes if cause not in named],
    }
    return PlanOut.model_validate(shown)


async def _results(session: SessionDep, caller: Caller, household_id: UUID) -> list[ResultOut]:
    rows = await queries.results_of(session, household_id, divisions=caller.divisions)
    return [
        ResultOut.model_validate({**row, "words": sealed.show_words(row["words_encrypted"])})
        for row in rows
    ]
