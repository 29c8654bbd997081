"""What was done for a household, its guarantees, and its whole story in one order (C6, C8)."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from services.registry.households import views
from services.registry.ledger import queries, story
from services.registry.ledger.story import Happening
from shared import api
from shared.auth import Caller, requires
from shared.contracts.assistance import AssistanceStatus, GuaranteeKind
from shared.db import SessionDep

routes = api.router("/v1/households/{household_id}", tags=["ledger"])
Reader = Annotated[Caller, requires("registry.households:read")]
Cursor = Annotated[str | None, Query(max_length=1000)]


class Aid(BaseModel):
    """One measure in its newest version."""

    source: str
    assistance_id: UUID
    person_ids: list[UUID]
    programme: str
    status: AssistanceStatus
    amount: Decimal
    fund: str
    month: date | None
    granted_on: date
    version: int


class GuaranteeOut(BaseModel):
    """One guarantee as its service last said."""

    source: str
    guarantee_id: UUID
    kind: GuaranteeKind
    met: bool
    evidence_id: str
    since: date
    version: int


@routes.get("/aid", summary="The aid ledger of a household")
async def list_aid(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    *,
    cursor: Cursor = None,
    limit: api.Limit = 50,
) -> api.Page[Aid]:
    await views.looked_at(session, caller, household_id, "household.aid_read")
    after = api.decode_cursor(cursor, date, UUID) if cursor else None
    rows = await queries.aid_of(
        session,
        household_id,
        divisions=caller.divisions,
        after=(after[0], after[1]) if after else None,
        limit=limit + 1,
    )
    shown = [Aid.model_validate(dict(row)) for row in rows[:limit]]
    more = len(rows) > limit
    last = (shown[-1].granted_on, shown[-1].assistance_id) if more else ()
    return api.Page(items=shown, next_cursor=api.encode_cursor(last) if more else None)


@routes.get("/guarantees", summary="The guarantees of a household")
async def list_guarantees(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[GuaranteeOut]:
    await views.looked_at(session, caller, household_id, "household.guarantees_read")
    rows = await queries.guarantees_of(session, household_id, divisions=caller.divisions)
    return [GuaranteeOut.model_validate(dict(row)) for row in rows]


@routes.get("/timeline", summary="All that happened to a household, in one order")
async def read_timeline(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    *,
    cursor: Cursor = None,
    limit: api.Limit = 50,
) -> api.Page[Happening]:
    await views.looked_at(session, caller, household_id, "household.timeline_read")
    told = await story.story(session, caller, household_id)
    after = api.decode_cursor(cursor, date, str, str) if cursor else None
    rest = [each for each in told if after is None or story.place(each) > tuple(after)]
    shown = rest[:limit]
    more = len(rest) > limit
    return api.Page(
        items=shown, next_cursor=api.encode_cursor(story.place(shown[-1])) if more else None
    )
