"""What listeners may ask to check their copies: each household's newest published state.

Codes only, as in the events: no name, number, phone or account stands in an answer.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from services.registry.exchange import queries
from services.registry.exchange.changes import published
from services.registry.exchange.schemas import PublishedPage
from shared import api, audit
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/published-households", tags=["exchange"])
Verifier = Annotated[Caller, requires("registry.households:verify")]


@routes.get("", summary="The newest published state of each household, in the order of their ids")
async def list_published(
    session: SessionDep,
    caller: Verifier,
    *,
    household_id: Annotated[list[UUID] | None, Query(max_length=api.MOST_ITEMS)] = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: api.Limit = 50,
) -> PublishedPage:
    after = api.decode_cursor(cursor, UUID)[0] if cursor else None
    rows = await queries.published_households(
        session, divisions=caller.divisions, after=after, wanted=household_id, limit=limit + 1
    )
    shown = [published(row) for row in rows[:limit]]
    await audit.record(
        session,
        caller,
        action="household.verified",
        subject_type="division",
        subject_id=caller.divisions,
        division_code=caller.divisions,
        detail={
            "households": len(shown),
            "first": str(shown[0].household_id) if shown else None,
            "last": str(shown[-1].household_id) if shown else None,
        },
    )
    more = len(rows) > limit
    return PublishedPage(
        items=shown,
        next_cursor=api.encode_cursor([shown[-1].household_id]) if more else None,
        divisions=list(caller.divisions),
    )
