"""How households are paired with helpers, and which pairings ask for attention (R35)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from services.registry.helpers import actions, queries
from services.registry.helpers.api import Reader, Writer, shown
from services.registry.helpers.queries import Wanted
from services.registry.helpers.rules import HelperKind, PairingFlag, Wish
from services.registry.households.views import PLAIN
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import officer_of
from shared.contracts.registry import Category, State
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1/pairings", tags=["helpers"])
Reason = Annotated[str, Field(max_length=2000)]
AskedHelper = Annotated[
    str | None,
    Query(
        pattern="^(me|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
        description="a helper's id, or me: the caller's own households",
    ),
]


class PairingIn(BaseModel):
    """Who is to help whom; ``related``: the helper's declaration whether they are relatives."""

    model_config = ConfigDict(extra="forbid")

    household_id: UUID
    helper_id: UUID
    lead: bool
    paired_on: date
    related: bool


class TransferIn(BaseModel):
    """Who takes the household over, from when and why."""

    model_config = ConfigDict(extra="forbid")

    helper_id: UUID
    transferred_on: date
    related: bool
    reason: Reason


class HandoverIn(BaseModel):
    """The day of the hand-over."""

    model_config = ConfigDict(extra="forbid")

    handed_over_on: date


class EndIn(BaseModel):
    """From when the pairing is none any more, and why."""

    model_config = ConfigDict(extra="forbid")

    ended_on: date
    reason: Reason


class PairingOut(BaseModel):
    """A pairing with its helper; ``flag`` says why it is not what R35 asks for."""

    pairing_id: UUID
    household_id: UUID
    division_code: str
    helper_id: UUID
    officer_id: str
    name: str
    phone: str | None
    kind: HelperKind
    unit: str
    lead: bool
    flag: PairingFlag | None
    paired_on: date
    ended_on: date | None
    end_reason: str
    transferred: bool
    handover_due_on: date | None
    handed_over_on: date | None


class WithoutLead(BaseModel):
    """A household that has helpers by right and no lead helper."""

    household_id: UUID
    household_no: str
    division_code: str
    category: Category | None
    state: State


@routes.post("", status_code=201, summary="Pair a helper with a household")
async def pair(session: SessionDep, caller: Writer, body: PairingIn) -> PairingOut:
    return await _one(session, caller, await actions.pair(session, caller, Wish(**dict(body))))


@routes.post("/{pairing_id}/transfer", summary="Give the household to another helper")
async def transfer(
    session: SessionDep, caller: Writer, pairing_id: UUID, body: TransferIn
) -> PairingOut:
    row = await queries.pairing(session, pairing_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("pairing_not_found", "no such pairing in the caller's divisions")
    wish = Wish(
        household_id=row["household_id"],
        helper_id=body.helper_id,
        lead=row["lead"],
        paired_on=body.transferred_on,
        related=body.related,
    )
    new_id = await actions.transfer(session, caller, pairing_id, wish, body.reason)
    return await _one(session, caller, new_id)


@routes.post("/{pairing_id}/hand-over", summary="The household was handed over")
async def hand_over(
    session: SessionDep, caller: Writer, pairing_id: UUID, body: HandoverIn
) -> PairingOut:
    await actions.hand_over(session, caller, pairing_id, body.handed_over_on)
    return await _one(session, caller, pairing_id)


@routes.post("/{pairing_id}/end", summary="End a pairing")
async def end(session: SessionDep, caller: Writer, pairing_id: UUID, body: EndIn) -> PairingOut:
    await actions.end(session, caller, pairing_id, body.ended_on, body.reason)
    return await _one(session, caller, pairing_id)


@routes.get("", summary="Pairings, the earliest first")
async def list_pairings(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    helper: AskedHelper = None,
    household_id: UUID | None = None,
    flagged: bool | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[PairingOut]:
    wanted = Wanted(
        within=prefixes(division),
        helper_id=UUID(helper) if helper and helper != "me" else None,
        officer_id=officer_of(caller) if helper == "me" else None,
        household_id=household_id,
        flagged=flagged,
        is_open=is_open,
    )
    rows = await queries.pairings_page(
        session, wanted, divisions=caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    plain = caller.can(PLAIN)
    await audit.record(
        session,
        caller,
        action="pairing.read",
        subject_type="household",
        subject_id=[row["household_id"] for row in rows[:limit]],
        division_code=[row["division_code"] for row in rows[:limit]],
        detail={"plain": plain},
    )
    return page([shown(row, plain=plain) for row in rows], limit, "pairing_id", PairingOut)


@routes.get("/without-lead", summary="Households that have no lead helper")
async def list_without_lead(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[WithoutLead]:
    rows = await queries.without_lead(
        session,
        divisions=caller.divisions,
        within=prefixes(division),
        after=after_id(cursor),
        limit=limit + 1,
    )
    return page(rows, limit, "household_id", WithoutLead)


async def _one(session: SessionDep, caller: Writer, pairing_id: UUID) -> PairingOut:
    row = await queries.pairing(session, pairing_id, divisions=caller.divisions)
    return PairingOut.model_validate(shown(row or {}, plain=caller.can(PLAIN)))
