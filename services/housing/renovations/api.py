"""How to apply for a renovation, record its stages, pay it, and read how it was reckoned."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.housing.renovations import actions, queries
from services.housing.renovations.rules import Method, Party, Stage, StageFacts, due_stage
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.contracts.registry import Category, HouseGrade
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["renovations"])

Reader = Annotated[Caller, requires("housing.renovations:read")]
Writer = Annotated[Caller, requires("housing.renovations:write")]
Payer = Annotated[Caller, requires("housing.renovations:pay")]

Text = Annotated[str, Field(min_length=1, max_length=500)]


class Application(BaseModel):
    """``disaster``: the house was lost to one, so that the years between two do not count."""

    model_config = ConfigDict(extra="forbid")

    method: Method
    applied_on: date
    disaster: bool = False


class StageDone(BaseModel):
    """A stage that was done.

    Needed: ``appraised_grade`` with appraised, ``plan_year`` with planned, ``actual_cost`` (yuan)
    with completed, all four ``parties`` with accepted.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    stage: Stage
    done_on: date
    note: Text | None = None
    appraised_grade: HouseGrade | None = None
    plan_year: Annotated[int, Field(ge=2000, le=2100)] | None = None
    contractor: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    actual_cost: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)] | None = None
    parties: Annotated[tuple[Party, ...], Field(max_length=4)] = ()


class PaymentDone(BaseModel):
    """The day on which the subsidy reached the household's account."""

    model_config = ConfigDict(extra="forbid")

    paid_on: date


class Cancellation(BaseModel):
    """Why the renovation ends before its acceptance."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    reason: Text


class StageView(BaseModel):
    """A stage that was done and who recorded it."""

    model_config = ConfigDict(from_attributes=True)

    stage: Stage
    done_on: date
    note: str | None
    parties: list[Party]
    recorded_by: str
    recorded_at: datetime


class RenovationView(BaseModel):
    """A renovation. ``stage`` is the last one done, ``due`` the next. ``amount`` in yuan is known
    from the acceptance on; ``revision`` is the ETag, ``version`` counts the published states.
    """

    model_config = ConfigDict(from_attributes=True)

    renovation_id: UUID
    file_id: UUID
    household_id: UUID
    division_code: str
    method: Method
    disaster: bool
    category: Category
    stage: Stage
    due: Stage | None = None
    applied_on: date
    appraised_grade: HouseGrade | None
    plan_year: int | None
    contractor: str | None
    actual_cost: Decimal | None
    accepted_on: date | None
    accepted_by: str | None
    amount: Decimal | None
    paid_on: date | None
    paid_by: str | None
    cancel_reason: str | None
    revision: int
    version: int

    def model_post_init(self, _context: Any) -> None:
        """The due stage follows from the last one."""
        self.due = due_stage(self.stage)


class ExplainedRenovation(RenovationView):
    """A renovation with its stages and, once accepted, how its subsidy was reckoned."""

    reckoning: dict[str, Any] | None
    stages: list[StageView]


@routes.post(
    "/house-files/{file_id}/renovations", status_code=201, summary="Apply for a renovation"
)
async def apply_for(
    session: SessionDep, caller: Writer, file_id: UUID, body: Application, answer: Response
) -> ExplainedRenovation:
    """404 ``house_file_unknown``; 409 ``house_file_closed``, ``renovation_exists``; 422
    ``method_not_for_grade``, ``not_on_assistance``, ``renovated_before``, ``date_in_future``.
    """
    row = await actions.apply_for(
        session,
        caller,
        file_id,
        method=body.method,
        applied_on=body.applied_on,
        disaster=body.disaster,
    )
    answer.headers["Location"] = f"/v1/renovations/{row['renovation_id']}"
    return await _explained(session, caller, row, answer)


@routes.post("/renovations/{renovation_id}/stages", summary="Record the stage that is due")
async def record_stage(
    session: SessionDep,
    caller: Writer,
    renovation_id: UUID,
    *,
    body: StageDone,
    revision: api.IfMatch,
    answer: Response,
) -> ExplainedRenovation:
    """409 ``stage_not_due`` names the one that is; 412 ``revision_moved``; 422 with every fault.

    The acceptance reckons the subsidy: 422 ``parameter_missing`` names what is not approved.
    """
    given = StageFacts(**dict(body))
    row = await actions.record_stage(session, caller, renovation_id, given, revision)
    return await _explained(session, caller, row, answer)


@routes.post("/renovations/{renovation_id}/pay", summary="Record that the subsidy was paid")
async def pay(
    session: SessionDep, caller: Payer, renovation_id: UUID, body: PaymentDone, answer: Response
) -> ExplainedRenovation:
    """409 ``same_officer`` for the one who accepted, ``stage_not_due`` before or after."""
    row = await actions.pay(session, caller, renovation_id, paid_on=body.paid_on)
    return await _explained(session, caller, row, answer)


@routes.post("/renovations/{renovation_id}/cancel", summary="End a renovation before acceptance")
async def cancel(
    session: SessionDep, caller: Writer, renovation_id: UUID, body: Cancellation, answer: Response
) -> ExplainedRenovation:
    """409 ``renovation_settled`` once it is accepted, paid or cancelled."""
    row = await actions.cancel(session, caller, renovation_id, reason=body.reason)
    return await _explained(session, caller, row, answer)


@routes.get("/renovations", summary="Renovations by division, stage or household")
async def renovations(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    stage: Annotated[Stage | None, Query(description="the last one done")] = None,
    household: UUID | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[RenovationView]:
    """By renovation id, which ascends with time."""
    rows = await queries.renovations(
        session,
        queries.RenovationFilter(stage=stage, household_id=household),
        (caller.divisions, prefixes(division)),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await _note_reading(session, caller, rows[:limit])
    return page(rows, limit, "renovation_id", RenovationView)


@routes.get("/renovations/{renovation_id}", summary="One renovation, its stages and its reckoning")
async def renovation(
    session: SessionDep, caller: Reader, renovation_id: UUID, answer: Response
) -> ExplainedRenovation:
    """404 ``renovation_unknown`` where there is none that the caller may see."""
    row = await queries.renovation_by_id(session, renovation_id, caller.divisions)
    if row is None:
        raise NotFound("renovation_unknown", f"no renovation {renovation_id}")
    await _note_reading(session, caller, [row])
    return await _explained(session, caller, row, answer)


async def _explained(
    session: AsyncSession, caller: Caller, row: RowMapping, answer: Response
) -> ExplainedRenovation:
    stages = await queries.stages_of(session, row["renovation_id"], caller.divisions)
    answer.headers["ETag"] = api.etag(row["revision"])
    return ExplainedRenovation.model_validate({**row, "stages": [dict(each) for each in stages]})


async def _note_reading(session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]) -> None:
    """That a household is helped, and with how much, is personal data: every look is noted."""
    await audit.record_rows(
        session,
        caller,
        rows,
        action="renovations.read",
        subject_type="household",
        subject="household_id",
    )
