"""The review calendar, and what reviews found (R28, C21)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from services.registry.households import sealed, views
from services.registry.means.review import Kind
from services.registry.reviews import actions, queries
from services.registry.reviews.queries import Wanted
from services.registry.reviews.rules import Outcome, Review
from shared import api
from shared.asked import AskedCursor, AskedDivision, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/reviews", tags=["reviews"])
household_routes = api.router("/v1/households/{household_id}/reviews", tags=["reviews"])
Reader = Annotated[Caller, requires("registry.reviews:read")]
Writer = Annotated[Caller, requires("registry.reviews:write")]


class ReviewIn(BaseModel):
    """What a review found; what follows is decided by its own steps."""

    model_config = ConfigDict(extra="forbid")

    reviewed_on: date
    outcome: Outcome
    reason: Annotated[str, Field(max_length=2000)] = ""


class ReviewOut(BaseModel):
    """A review as entered; ``due_on``: the day by which it was to be made."""

    review_id: UUID
    household_id: UUID
    kind: Kind
    due_on: date | None
    reviewed_on: date
    outcome: Outcome
    reason: str
    officer_id: str


class ReviewDay(BaseModel):
    """When a household is reviewed next, by its type; no day where its county set no cycle."""

    household_id: UUID
    division_code: str
    kind: Kind
    from_on: date
    due_on: date | None


@routes.get("", summary="The review calendar, the soonest first")
async def list_due(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    kind: Annotated[Kind | None, Query()] = None,
    due_by: date | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[ReviewDay]:
    wanted = Wanted(within=prefixes(division), kind=kind, due_by=due_by)
    day, household_id = api.decode_cursor(cursor, date, UUID) if cursor else (None, None)
    rows = await queries.page(
        session,
        wanted,
        divisions=caller.divisions,
        after=(day, household_id) if day and household_id else None,
        limit=limit + 1,
    )
    items = [ReviewDay.model_validate(row) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    more = api.encode_cursor([last["sort_day"], last["household_id"]]) if last else None
    return api.Page(items=items, next_cursor=more)


@household_routes.post("", status_code=201, summary="Enter what a review found")
async def enter(
    session: SessionDep, caller: Writer, household_id: UUID, body: ReviewIn
) -> ReviewOut:
    review_id = await actions.enter(session, caller, household_id, Review(**dict(body)))
    rows = await queries.reviews_of(session, household_id, divisions=caller.divisions)
    return next(_shown(row) for row in rows if row["review_id"] == review_id)


@household_routes.get("", summary="The reviews of a household, the earliest first")
async def list_of_household(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[ReviewOut]:
    await views.looked_at(session, caller, household_id, "review.read")
    rows = await queries.reviews_of(session, household_id, divisions=caller.divisions)
    return [_shown(row) for row in rows]


def _shown(row: RowMapping) -> ReviewOut:
    return ReviewOut.model_validate({**row, "reason": sealed.show_words(row["reason_encrypted"])})
