"""How a township reports hardship, and how return checks are listed and dismissed (C7, C23)."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from services.registry.returns import actions, queries
from services.registry.returns.rules import CheckOutcome, Dismissal, ReportedKind, Sign
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep

report_routes = api.router("/v1/households/{household_id}/hardships", tags=["returns"])
routes = api.router("/v1/return-checks", tags=["returns"])
Reader = Annotated[Caller, requires("registry.households:read")]
Writer = Annotated[Caller, requires("registry.households:write")]
Decider = Annotated[Caller, requires("registry.households:decide")]
Strict = ConfigDict(extra="forbid")


class HardshipIn(BaseModel):
    """What a township saw; ``amount`` is what it costs the household in yuan, where known."""

    model_config = Strict

    kind: ReportedKind
    detected_on: date
    amount: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)] | None = None
    note: Annotated[str, Field(max_length=2000)] = ""


class DismissalIn(BaseModel):
    """When the household was visited, and why it has not fallen back."""

    model_config = Strict

    reason: Annotated[str, Field(max_length=2000)]
    visited_on: date


class ReturnCheckOut(BaseModel):
    """A return check and the sign behind it; ``outcome`` is null while it is open."""

    return_check_id: UUID
    household_id: UUID
    division_code: str
    source: str
    hardship_id: UUID
    kind: str
    detected_on: date
    amount: Decimal | None
    opened_on: date
    due_on: date | None
    due_provisional: bool
    outcome: CheckOutcome | None
    closed_on: date | None
    closed_by: str | None
    visited_on: date | None
    reason: str


class Reported(BaseModel):
    """The sign as stored; ``return_check`` is null for a household on assistance."""

    hardship_id: UUID
    return_check: ReturnCheckOut | None


@report_routes.post("", status_code=201, summary="Report a sign of hardship at a household")
async def report_hardship(
    session: SessionDep, caller: Writer, household_id: UUID, body: HardshipIn
) -> Reported:
    hardship_id, check_id = await actions.report(session, caller, household_id, Sign(**dict(body)))
    check = await _one(session, caller, check_id) if check_id else None
    return Reported(hardship_id=hardship_id, return_check=check)


@routes.get("", summary="Return checks by division, open or ended")
async def list_return_checks(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[ReturnCheckOut]:
    rows = await queries.list_checks(
        session,
        divisions=caller.divisions,
        within=prefixes(division),
        is_open=is_open,
        after=after_id(cursor),
        limit=limit + 1,
    )
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="return_check.read",
        subject_type="household",
        subject="household_id",
    )
    return page(rows, limit, "return_check_id", ReturnCheckOut)


@routes.post("/{return_check_id}/dismiss", summary="End a return check that found no return")
async def dismiss_return_check(
    session: SessionDep, caller: Decider, return_check_id: UUID, body: DismissalIn
) -> ReturnCheckOut:
    dismissal = Dismissal(return_check_id=return_check_id, **dict(body))
    await actions.dismiss(session, caller, dismissal)
    return await _one(session, caller, return_check_id)


async def _one(session: SessionDep, caller: Caller, return_check_id: UUID) -> ReturnCheckOut:
    row = await queries.one(session, return_check_id, divisions=caller.divisions)
    return ReturnCheckOut.model_validate(dict(row or {}))
