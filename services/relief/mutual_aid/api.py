"""How mutual-aid groups and home-care centres are entered and read; who is left without (C55)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.asking import In, Short, View
from services.relief.mutual_aid import actions, queries
from services.relief.mutual_aid.rules import ActivityKind, LeftBehind, Role, left_behind_kind
from shared import api, audit, clock
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.contracts.registry import Sex
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["mutual aid"])

Reader = Annotated[Caller, requires("relief.mutual_aid:read")]
Writer = Annotated[Caller, requires("relief.mutual_aid:write")]
Place = Annotated[str, Field(pattern="^([0-9]{9}|[0-9]{12})$", examples=["331124100201"])]


class GroupIn(In):
    """A group of a village, or of a township."""

    division: Place
    name: Short
    founded_on: date


class GroupEnd(In):
    """A group's last day."""

    dissolved_on: date


class MemberIn(In):
    """Who joins, as what. Who is cared for must live in a registered household."""

    person_id: UUID
    role: Role
    joined_on: date


class MemberEnd(In):
    """A person's last day in a role."""

    left_on: date


class ActivityIn(In):
    """What was done on a day, and which members took part or were helped."""

    held_on: date
    kind: ActivityKind
    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class CentreIn(In):
    """A home-care centre; ``capacity`` in people."""

    division: Place
    name: Short
    capacity: Annotated[int, Field(ge=1, le=10_000)]
    opened_on: date


class CentreEnd(In):
    """A centre's last day."""

    closed_on: date


class MemberView(View):
    """One person's stay in a group; ``left_on`` is the last day."""

    membership_id: UUID
    person_id: UUID
    role: Role
    joined_on: date
    left_on: date | None


class GroupView(View):
    """A group; ``dissolved_on`` is its last day."""

    group_id: UUID
    division_code: str
    name: str
    founded_on: date
    dissolved_on: date | None


class GroupDetail(GroupView):
    """A group with everybody who ever belonged to it."""

    members: list[MemberView]


class ActivityView(View):
    """One entry of a group's log."""

    activity_id: UUID
    group_id: UUID
    held_on: date
    kind: ActivityKind
    person_ids: list[UUID]
    recorded_by: str


class CentreView(View):
    """A home-care centre; ``closed_on`` is its last day."""

    centre_id: UUID
    division_code: str
    name: str
    capacity: int
    opened_on: date
    closed_on: date | None


class UncaredView(BaseModel):
    """A left-behind person whom no group cares for."""

    person_id: UUID
    household_id: UUID
    division_code: str
    kind: LeftBehind


@routes.post("/mutual-aid/groups", status_code=201, summary="Enter a mutual-aid group")
async def found_group(session: SessionDep, caller: Writer, body: GroupIn) -> GroupDetail:
    """403 ``division_not_covered``; 422 ``date_in_future``."""
    group_id = await actions.found_group(
        session, caller, division_code=body.division, name=body.name, founded_on=body.founded_on
    )
    return await _group(session, caller, group_id)


@routes.get("/mutual-aid/groups", summary="Mutual-aid groups")
async def groups(
    session: SessionDep,
    caller: Reader,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[GroupView]:
    within = (caller.divisions, prefixes(division))
    rows = await queries.groups(session, within, after=after_id(cursor), limit=limit + 1)
    return page(rows, limit, "group_id", GroupView)


@routes.get("/mutual-aid/groups/{group_id}", summary="A group and its people")
async def group(session: SessionDep, caller: Reader, group_id: UUID) -> GroupDetail:
    """404 ``group_unknown``."""
    found = await _group(session, caller, group_id)
    await audit.record(
        session,
        caller,
        action="mutual_aid_group.read",
        subject_type="mutual_aid_group",
        subject_id=group_id,
        division_code=found.division_code,
    )
    return found


@routes.post("/mutual-aid/groups/{group_id}/members", status_code=201, summary="Somebody joins")
async def join(session: SessionDep, caller: Writer, group_id: UUID, body: MemberIn) -> GroupDetail:
    """409 ``leader_exists``, ``already_member``, ``group_dissolved``; 422 with every fault."""
    await actions.join(session, caller, group_id, **dict(body))
    return await _group(session, caller, group_id)


@routes.post("/mutual-aid/memberships/{membership_id}/leave", summary="Somebody leaves")
async def leave(
    session: SessionDep, caller: Writer, membership_id: UUID, body: MemberEnd
) -> GroupDetail:
    """409 ``membership_ended``; 422 ``left_on_impossible``."""
    group_id = await actions.leave(session, caller, membership_id, body.left_on)
    return await _group(session, caller, group_id)


@routes.post("/mutual-aid/groups/{group_id}/dissolve", summary="A group ends")
async def dissolve(
    session: SessionDep, caller: Writer, group_id: UUID, body: GroupEnd
) -> GroupDetail:
    """409 ``group_dissolved``; 422 ``dissolved_on_impossible``."""
    await actions.dissolve_group(session, caller, group_id, body.dissolved_on)
    return await _group(session, caller, group_id)


@routes.post(
    "/mutual-aid/groups/{group_id}/activities", status_code=201, summary="Write the group's log"
)
async def record_activity(
    session: SessionDep, caller: Writer, group_id: UUID, body: ActivityIn
) -> ActivityView:
    """422 ``held_on_impossible``, ``not_a_member``."""
    row = await actions.record_activity(session, caller, group_id, **dict(body))
    return ActivityView.model_validate(row)


@routes.get("/mutual-aid/groups/{group_id}/activities", summary="A group's log")
async def activities(
    session: SessionDep,
    caller: Reader,
    group_id: UUID,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[ActivityView]:
    await _group(session, caller, group_id)
    rows = await queries.activities_of(session, group_id, after=after_id(cursor), limit=limit + 1)
    await _note_reading(session, caller, rows[:limit], "mutual_aid_group", "group_id")
    return page(rows, limit, "activity_id", ActivityView)


@routes.get("/mutual-aid/uncared", summary="Left-behind people whom no group cares for")
async def uncared(
    session: SessionDep,
    caller: Reader,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[UncaredView]:
    within = (caller.divisions, prefixes(division))
    rows = await queries.uncared(session, within, after=after_id(cursor), limit=limit + 1)
    await _note_reading(session, caller, rows[:limit], "person", "person_id")
    today = clock.today()
    shown = [
        {**row, "kind": left_behind_kind(row["birth_date"], Sex(row["sex"]), today)} for row in rows
    ]
    return page(shown, limit, "person_id", UncaredView)


@routes.post("/home-care-centres", status_code=201, summary="Enter a home-care centre (居家养老)")
async def open_centre(session: SessionDep, caller: Writer, body: CentreIn) -> CentreView:
    """403 ``division_not_covered``; 422 ``date_in_future``."""
    centre_id = await actions.open_centre(
        session,
        caller,
        division_code=body.division,
        name=body.name,
        capacity=body.capacity,
        opened_on=body.opened_on,
    )
    return await _centre(session, caller, centre_id)


@routes.get("/home-care-centres", summary="Home-care centres")
async def centres(
    session: SessionDep,
    caller: Reader,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[CentreView]:
    within = (caller.divisions, prefixes(division))
    rows = await queries.centres(session, within, after=after_id(cursor), limit=limit + 1)
    return page(rows, limit, "centre_id", CentreView)


@routes.post("/home-care-centres/{centre_id}/close", summary="A centre closes")
async def close_centre(
    session: SessionDep, caller: Writer, centre_id: UUID, body: CentreEnd
) -> CentreView:
    """404 ``centre_unknown``; 409 ``centre_closed``; 422 ``closed_on_impossible``."""
    await actions.close_centre(session, caller, centre_id, body.closed_on)
    return await _centre(session, caller, centre_id)


async def _group(session: AsyncSession, caller: Caller, group_id: UUID) -> GroupDetail:
    row = await queries.group_by_id(session, group_id, caller.divisions)
    if row is None:
        raise NotFound("group_unknown", f"no mutual-aid group {group_id}")
    members = [dict(each) for each in await queries.members_of(session, group_id)]
    return GroupDetail.model_validate({**row, "members": members})


async def _centre(session: AsyncSession, caller: Caller, centre_id: UUID) -> CentreView:
    row = await queries.centre_by_id(session, centre_id, caller.divisions)
    if row is None:
        raise NotFound("centre_unknown", f"no home-care centre {centre_id}")
    return CentreView.model_validate(row)


async def _note_reading(
    session: AsyncSession, caller: Caller, rows: Sequence[RowMapping], kind: str, key: str
) -> None:
    """Who is helped by neighbours is personal data: every look at it is written down."""
    await audit.record_rows(
        session, caller, rows, action=f"{kind}.mutual_aid_read", subject_type=kind, subject=key
    )
