"""How relatives of staff and of village committees are registered (R29)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.determination import queries, relatives
from services.registry.determination.api import Reader, Writer
from services.registry.determination.relatives import Filing, RelativeKind
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller
from shared.db import SessionDep

routes = api.router("/v1/staff-relatives", tags=["applications"])
Line = Annotated[str, Field(max_length=100)]


class FilingIn(BaseModel):
    """A person and the office held by his relative; ``staff_officer_id`` where that is staff."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    person_id: UUID
    kind: RelativeKind
    position: Line
    relation: Line
    registered_on: date
    staff_officer_id: Line | None = None


class EndIn(BaseModel):
    """The last day of the relative's office."""

    model_config = ConfigDict(extra="forbid")

    ended_on: date


class StaffRelativeOut(BaseModel):
    """An entry of the register; in force while ``ended_on`` is null."""

    model_config = ConfigDict(from_attributes=True)

    staff_relative_id: UUID
    person_id: UUID
    division_code: str
    kind: RelativeKind
    position: str
    relation: str
    staff_officer_id: str | None
    registered_on: date
    registered_by: str
    ended_on: date | None
    ended_by: str | None


@routes.post("", status_code=201, summary="Register a relative of staff or a village committee")
async def register_relative(
    session: SessionDep, caller: Writer, body: FilingIn
) -> StaffRelativeOut:
    entry_id = await relatives.register(session, caller, Filing(**dict(body)))
    return await _one(session, caller, entry_id)


@routes.get("", summary="The register, the earliest entry first")
async def list_relatives(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[StaffRelativeOut]:
    rows = await queries.relatives_page(
        session,
        divisions=caller.divisions,
        within=prefixes(division),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="staff_relative.read",
        subject_type="person",
        subject="person_id",
    )
    return page(rows, limit, "staff_relative_id", StaffRelativeOut)


@routes.post("/{staff_relative_id}/end", summary="End an entry: the office was left")
async def end_relative(
    session: SessionDep, caller: Writer, staff_relative_id: UUID, body: EndIn
) -> StaffRelativeOut:
    await relatives.end(session, caller, staff_relative_id, body.ended_on)
    return await _one(session, caller, staff_relative_id)


async def _one(session: SessionDep, caller: Caller, entry_id: UUID) -> StaffRelativeOut:
    row = await queries.relative(session, entry_id, divisions=caller.divisions)
    return StaffRelativeOut.model_validate(dict(row or {}))
