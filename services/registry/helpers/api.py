"""How the register of helpers is kept and read (C51, C52)."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.helpers import actions, queries
from services.registry.helpers.rules import HelperKind, Registration
from services.registry.households import sealed
from services.registry.households.views import PLAIN
from shared import api, audit
from shared.asked import DIVISION_PATTERN, AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/helpers", tags=["helpers"])
Reader = Annotated[Caller, requires("registry.helpers:read")]
Writer = Annotated[Caller, requires("registry.helpers:write")]
Line = Annotated[str, Field(max_length=200)]


class RegistrationIn(BaseModel):
    """An official and his unit; ``division_code`` is the place that the unit serves."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    division_code: Annotated[str, Field(pattern=DIVISION_PATTERN)]
    officer_id: Line
    name: Line
    kind: HelperKind
    unit: Line
    unit_uscc: Annotated[str, Field(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$")] | None = None
    started_on: date
    phone: Annotated[str, Field(max_length=30)] | None = None


class LeavingIn(BaseModel):
    """The helper's last day."""

    model_config = ConfigDict(extra="forbid")

    left_on: date


class Registered(BaseModel):
    """The id of a helper."""

    helper_id: UUID


class Left(BaseModel):
    """How many pairings ended with the helper."""

    pairings_ended: int


class HelperOut(BaseModel):
    """A helper; name and phone masked without pii:read."""

    helper_id: UUID
    division_code: str
    officer_id: str
    name: str
    phone: str | None
    kind: HelperKind
    unit: str
    unit_uscc: str | None
    started_on: date


def shown(row: Any, *, plain: bool) -> dict[str, Any]:
    """A row with its helper's name and phone as this caller may see them."""
    return {
        **row,
        "name": sealed.show_official_name(row["name_encrypted"], plain=plain),
        "phone": sealed.show_phone(row["phone_encrypted"], plain=plain),
    }


@routes.post("", status_code=201, summary="Put an official on the register of helpers")
async def register_helper(session: SessionDep, caller: Writer, body: RegistrationIn) -> Registered:
    helper_id = await actions.register(session, caller, Registration(**dict(body)))
    return Registered(helper_id=helper_id)


@routes.post("/{helper_id}/leave", summary="A helper leaves: all his pairings end")
async def helper_leaves(
    session: SessionDep, caller: Writer, helper_id: UUID, body: LeavingIn
) -> Left:
    return Left(pairings_ended=await actions.leave(session, caller, helper_id, body.left_on))


@routes.get("", summary="Helpers who may serve in the caller's divisions")
async def list_helpers(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[HelperOut]:
    rows = await queries.helpers_page(
        session,
        divisions=caller.divisions,
        within=prefixes(division),
        after=after_id(cursor),
        limit=limit + 1,
    )
    plain = caller.can(PLAIN)
    await audit.record(
        session,
        caller,
        action="helper.read",
        subject_type="helper",
        subject_id=[row["helper_id"] for row in rows[:limit]],
        division_code=[row["division_code"] for row in rows[:limit]],
        detail={"plain": plain},
    )
    return page([shown(row, plain=plain) for row in rows], limit, "helper_id", HelperOut)
