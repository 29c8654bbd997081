"""How to place a person, end a placement, and see who was placed (C45, C46)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.jobs import actions, queries
from services.employment.jobs.rules import EndReason, Kind, Term
from services.employment.jobs.views import PlacementView
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1/placements", tags=["placements"])

Reader = Annotated[Caller, requires("employment.jobs:read")]
Writer = Annotated[Caller, requires("employment.jobs:write")]
Employer = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]+$"),
]
Wage = Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=2)]


class PlacementOrder(BaseModel):
    """A job that somebody has. ``until`` is its last day, left out while open.

    Migrant work makes employed after the months of ``emp.migrant_months``, the rest from ``from``.
    """

    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    kind: Kind
    employer: Employer | None = None
    begins_on: date = Field(alias="from")
    until: date | None = None
    monthly_wage: Wage | None = None


class PlacementEnd(BaseModel):
    """``ended_on`` is the first day without the job, today at the latest."""

    model_config = ConfigDict(extra="forbid")

    ended_on: date
    reason: EndReason


@routes.post("", status_code=201, summary="Place a person with a labour profile")
async def place(
    session: SessionDep, caller: Writer, order: PlacementOrder, response: Response
) -> PlacementView:
    """409 ``placement_open``, 422 with all that speaks against it; the ETag is of its revision."""
    stored = await actions.place(
        session,
        caller,
        actions.Order(
            person_id=order.person_id,
            kind=order.kind,
            term=Term(begins_on=order.begins_on, until=order.until),
            employer=order.employer,
            monthly_wage=order.monthly_wage,
        ),
    )
    response.headers["Location"] = f"/v1/placements/{stored['placement_id']}"
    response.headers["ETag"] = api.etag(stored["revision"])
    return PlacementView.model_validate(stored)


@routes.post("/{placement_id}/end", summary="End a placement")
async def end(
    session: SessionDep,
    caller: Writer,
    placement_id: UUID,
    *,
    body: PlacementEnd,
    revision: api.IfMatch,
    response: Response,
) -> PlacementView:
    """412 ``placement_changed``, 409 ``placement_ended``, 404 ``placement_unknown``."""
    stored = await actions.end(
        session,
        caller,
        placement_id,
        ended_on=body.ended_on,
        reason=body.reason,
        revision=revision,
    )
    response.headers["ETag"] = api.etag(stored["revision"])
    return PlacementView.model_validate(stored)


@routes.get("", summary="Placements by division, person or household")
async def placements(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    person: UUID | None = None,
    household: UUID | None = None,
    open: bool | None = None,  # noqa: A002 (the query parameter's name)
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[PlacementView]:
    """By placement id, which ascends with time."""
    rows = await queries.placements(
        session,
        queries.PlacementFilter(person_id=person, household_id=household, open=open),
        (caller.divisions, prefixes(division)),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await _note_reading(session, caller, rows[:limit])
    return page(rows, limit, "placement_id", PlacementView)


@routes.get("/{placement_id}", summary="One placement")
async def placement(
    session: SessionDep, caller: Reader, placement_id: UUID, response: Response
) -> PlacementView:
    """404 ``placement_unknown`` where there is none that the caller may see."""
    row = await queries.placement_by_id(session, placement_id, caller.divisions)
    if row is None:
        raise NotFound("placement_unknown", f"no placement {placement_id}")
    await _note_reading(session, caller, [row])
    response.headers["ETag"] = api.etag(row["revision"])
    return PlacementView.model_validate(row)


async def _note_reading(session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]) -> None:
    """Where somebody works and for what is personal data: every look at it is written down."""
    await audit.record_rows(
        session, caller, rows, action="placement.read", subject_type="person", subject="person_id"
    )
