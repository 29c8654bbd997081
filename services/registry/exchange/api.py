"""What listeners may ask to check their copies: each household's newest published state.

Codes only, as in the events: no name, number, phone or account stands in an answer.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from services.registry.exchange import queries
from shared import api, audit
from shared.auth import Caller, requires
from shared.contracts.registry import HouseholdState
from shared.db import SessionDep

routes = api.router("/v1/published-households", tags=["exchange"])
Verifier = Annotated[Caller, requires("registry.households:verify")]


class Published(BaseModel):
    """The newest state of one household that the registry has published."""

    household_id: UUID
    version: int
    state: HouseholdState


class PublishedPage(api.Page[Published]):
    """A page, and the divisions it was drawn from: what lies outside is not here to compare."""

    divisions: list[str]


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
    shown = [
        Published(
            household_id=row["household_id"],
            version=row["version"],
            state=HouseholdState.model_validate_json(row["state"]),
        )
        for row in rows[:limit]
    ]
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
