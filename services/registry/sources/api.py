"""What feeds said of households that another bureau keeps, settled by that bureau (C3)."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from services.registry.sources import actions, queries
from services.registry.sources.rules import Settlement
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/source-conflicts", tags=["sources"])
Reader = Annotated[Caller, requires("registry.sources:read")]
Decider = Annotated[Caller, requires("registry.sources:decide")]


class ConflictOut(BaseModel):
    """``bureau`` said ``wanted`` of a household that ``owner`` keeps; open while no outcome."""

    conflict_id: UUID
    household_id: UUID
    division_code: str
    bureau: str
    owner: str
    origin: str
    wanted: dict[str, Any]
    opened_on: date
    outcome: Settlement | None
    settled_on: date | None
    settled_by: str | None
    reason: str


class SettlementIn(BaseModel):
    """Whether the value stays (``kept``) or the other bureau's is taken from today on, and why."""

    model_config = ConfigDict(extra="forbid")

    outcome: Settlement
    reason: Annotated[str, Field(max_length=2000)]


@routes.get("", summary="What feeds said against the source of record")
async def list_conflicts(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[ConflictOut]:
    rows = await queries.page(
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
        action="source_conflict.read",
        subject_type="household",
        subject="household_id",
    )
    return page(rows, limit, "conflict_id", ConflictOut)


@routes.post("/{conflict_id}/settle", summary="Keep the value or take the other one")
async def settle(
    session: SessionDep, caller: Decider, conflict_id: UUID, body: SettlementIn
) -> ConflictOut:
    await actions.settle(session, caller, conflict_id, body.outcome, body.reason)
    row = await queries.one(session, conflict_id, divisions=caller.divisions)
    return ConflictOut.model_validate(dict(row or {}))
