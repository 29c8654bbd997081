"""How to ask for a household's time line across all services. Every look is audited."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import RowMapping

from services.notify.timelines import queries
from services.notify.timelines.queries import Stretch
from services.notify.timelines.rules import Kind
from shared import api, audit
from shared.asked import AskedCursor, Month
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["timelines"])

READ = "notify.timelines:read"
Reader = Annotated[Caller, requires(READ)]
Order = Annotated[
    Literal["oldest", "newest"], Query(description="which end the time line begins at")
]


class HappeningView(BaseModel):
    """One thing that happened. ``service`` told it; ``id`` is its aggregate there.

    ``code`` is the programme of a measure, the kind of a guarantee, hardship or notice, the
    category otherwise. ``amount`` in yuan, where money is spoken of.
    """

    on: date
    kind: Kind
    service: str
    id: UUID
    code: str | None
    amount: Decimal | None
    month: Month | None
    detail: dict[str, Any]


@routes.get("/households/{household_id}/timeline", summary="What happened, across all services")
async def timeline(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    *,
    order: Order = "oldest",
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[HappeningView]:
    """By day. 404 ``household_not_found`` where there is none that the caller may see."""
    division = await queries.division_of(session, household_id, caller.divisions)
    if division is None:
        raise NotFound("household_not_found", f"no household {household_id} in your divisions")
    await audit.record(
        session,
        caller,
        action="timeline.read",
        subject_type="household",
        subject_id=household_id,
        division_code=division,
    )
    stretch = Stretch(limit=limit + 1, after=queries.after(cursor), newest_first=order == "newest")
    rows = await queries.happenings_of(session, household_id, caller.divisions, stretch)
    more = api.encode_cursor(queries.place_of(rows[limit - 1])) if len(rows) > limit else None
    return api.Page(items=[_view(row) for row in rows[:limit]], next_cursor=more)


def _view(row: RowMapping) -> HappeningView:
    return HappeningView(
        on=row["happened_on"],
        kind=row["kind"],
        service=row["source"].removeprefix("/"),
        id=row["aggregate_id"],
        code=row["code"],
        amount=row["amount"],
        month=row["month"],
        detail=row["detail"],
    )
