"""How deletions of raw answers are asked for, approved and followed (section 7)."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.retention import actions, queries
from shared import api
from shared.asked import AskedCursor, AskedDivision, after_id, page, within
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1/answer-deletions", tags=["retention"])
Reader = Annotated[Caller, requires("registry.retention:read")]
Writer = Annotated[Caller, requires("registry.retention:write")]
Approver = Annotated[Caller, requires("registry.retention:approve")]


class DeletionIn(BaseModel):
    """The county whose raw answers that are past keeping are to go, and why."""

    model_config = ConfigDict(extra="forbid")

    division_code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class DeletionOut(BaseModel):
    """A deletion; ``deleted`` answers so far, ended at ``done_at``."""

    deletion_id: UUID
    division_code: str
    used_before: date
    reason: str
    requested_by: str
    requested_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    job_id: UUID | None
    deleted: int
    done_at: datetime | None


class DeletionDetail(DeletionOut):
    """``past_keeping``: how many answers would go now."""

    past_keeping: int


@routes.post("", status_code=201, summary="Ask that raw answers past keeping be deleted")
async def ask(session: SessionDep, caller: Writer, body: DeletionIn) -> DeletionDetail:
    deletion_id = await actions.ask_deletion(session, caller, body.division_code, body.reason)
    return await _detail(session, caller, deletion_id)


@routes.get("", summary="Deletions, the one asked for first first")
async def list_deletions(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[DeletionOut]:
    rows = await queries.deletions(
        session, within=within(caller, division), after=after_id(cursor), limit=limit + 1
    )
    return page(rows, limit, "deletion_id", DeletionOut)


@routes.get("/{deletion_id}", summary="One deletion, and how many answers would go now")
async def one_deletion(session: SessionDep, caller: Reader, deletion_id: UUID) -> DeletionDetail:
    return await _detail(session, caller, deletion_id)


@routes.post("/{deletion_id}/approve", status_code=202, summary="Approve a colleague's deletion")
async def approve(session: SessionDep, caller: Approver, deletion_id: UUID) -> DeletionDetail:
    await actions.approve_deletion(session, caller, deletion_id)
    return await _detail(session, caller, deletion_id)


async def _detail(session: SessionDep, caller: Caller, deletion_id: UUID) -> DeletionDetail:
    row = await queries.one(session, deletion_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("deletion_not_found", "no such deletion in the caller's divisions")
    waiting = await queries.past_keeping(session, row["division_code"], row["used_before"])
    return DeletionDetail.model_validate({**row, "past_keeping": waiting})
