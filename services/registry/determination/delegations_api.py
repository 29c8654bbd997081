"""How a county leaves decisions to a township, and takes them back (R29)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.determination import delegations
from services.registry.determination.api import Reader
from services.registry.determination.deciding_api import Decider
from services.registry.determination.delegations import Wish
from shared import api
from shared.asked import AskedCursor, AskedDivision, after_id, page, within
from shared.auth import Caller
from shared.contracts.registry import Category
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1/delegations", tags=["applications"])


class DelegationIn(BaseModel):
    """A township, the category it is to decide on, from when and by which document."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    division_code: Annotated[str, Field(pattern=r"^[0-9]{6,12}$")]
    category: Category
    valid_from: date
    document: Annotated[str, Field(max_length=100)]


class DelegationOut(BaseModel):
    """A delegation; it holds from ``valid_from``, once approved, to the end of ``ended_on``."""

    delegation_id: UUID
    division_code: str
    category: Category
    valid_from: date
    document: str
    entered_by: str
    approved_by: str | None
    approved_on: date | None
    ended_by: str | None
    ended_on: date | None


@routes.post("", status_code=201, summary="Ask that a township decide on a category")
async def enter(session: SessionDep, caller: Decider, body: DelegationIn) -> DelegationOut:
    delegation_id = await delegations.enter(session, caller, Wish(**dict(body)))
    return await _one(session, caller, delegation_id)


@routes.get("", summary="Delegations, the earliest first")
async def list_delegations(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[DelegationOut]:
    rows = await delegations.page(
        session, within=within(caller, division), after=after_id(cursor), limit=limit + 1
    )
    return page(rows, limit, "delegation_id", DelegationOut)


@routes.post("/{delegation_id}/approve", summary="Approve a delegation that a colleague entered")
async def approve(session: SessionDep, caller: Decider, delegation_id: UUID) -> DelegationOut:
    await delegations.approve(session, caller, delegation_id)
    return await _one(session, caller, delegation_id)


@routes.post("/{delegation_id}/end", summary="End a delegation with this day")
async def end(session: SessionDep, caller: Decider, delegation_id: UUID) -> DelegationOut:
    await delegations.end(session, caller, delegation_id)
    return await _one(session, caller, delegation_id)


async def _one(session: SessionDep, caller: Caller, delegation_id: UUID) -> DelegationOut:
    row = await delegations.one(session, delegation_id, within=caller.divisions)
    if row is None:
        raise NotFound("delegation_not_found", "no such delegation in the caller's divisions")
    return DelegationOut.model_validate(dict(row))
