"""Founding groups, joining and leaving them, keeping their log; opening centres (C54, C55).

A group is locked before anything of it changes, so that it never has two leaders and nobody joins
one that is just being dissolved.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.faults import fault, refuse_if
from services.relief.mutual_aid import queries, rules
from services.relief.mutual_aid.models import Activity, Group, HomeCareCentre, Membership
from services.relief.mutual_aid.rules import ActivityKind, Role
from shared import audit, clock, identity
from shared.auth import Caller, officer_of
from shared.errors import Conflict, Forbidden, NotFound


async def found_group(
    session: AsyncSession, caller: Caller, *, division_code: str, name: str, founded_on: date
) -> UUID:
    """Enter a group of a village or township. Raises Forbidden or Refused."""
    group_id = identity.new_id()
    row = _stamped(caller, division_code) | {
        "group_id": group_id,
        "name": name,
        "founded_on": _past("founded_on", founded_on),
    }
    await session.execute(insert(Group), [row])
    await _note(session, caller, row, "mutual_aid_group.founded", group_id)
    return group_id


async def dissolve_group(
    session: AsyncSession, caller: Caller, group_id: UUID, dissolved_on: date
) -> None:
    """End a group and everybody's stay in it. Raises NotFound, Conflict or Refused."""
    group = await _hold_open(session, caller, group_id)
    members = await queries.members_of(session, group_id)
    since = max([group["founded_on"], *(row["joined_on"] for row in members)])
    today = clock.today()
    refuse_if(rules.ending_faults("dissolved_on", dissolved_on, since=since, today=today))
    ended = update(Group).where(Group.group_id == group_id).values(dissolved_on=dissolved_on)
    await session.execute(ended)
    staying = update(Membership).where(
        Membership.group_id == group_id, Membership.left_on.is_(None)
    )
    await session.execute(staying.values(left_on=dissolved_on))
    await _note(session, caller, group, "mutual_aid_group.dissolved", group_id)


async def join(
    session: AsyncSession,
    caller: Caller,
    group_id: UUID,
    *,
    person_id: UUID,
    role: Role,
    joined_on: date,
) -> None:
    """Take a person into a group in a role. Raises NotFound, or the problem of all faults."""
    group = await _hold(session, caller, group_id)
    members = await queries.members_of(session, group_id)
    now = [row for row in members if row["left_on"] is None]
    refuse_if(
        rules.joining_faults(
            role=role,
            joined_on=joined_on,
            founded_on=group["founded_on"],
            dissolved_on=group["dissolved_on"],
            registered=await queries.is_registered(session, person_id, caller.divisions),
            roles_held={Role(row["role"]) for row in now if row["person_id"] == person_id},
            has_leader=any(row["role"] == Role.LEADER for row in now),
            today=clock.today(),
        )
    )
    row = _stamped(caller, group["division_code"]) | {
        "membership_id": identity.new_id(),
        "group_id": group_id,
        "person_id": person_id,
        "role": role,
        "joined_on": joined_on,
    }
    await session.execute(insert(Membership), [row])
    await _note(session, caller, group, "mutual_aid_group.joined", group_id, role=role.value)


async def leave(session: AsyncSession, caller: Caller, membership_id: UUID, left_on: date) -> UUID:
    """Note a person's last day in a role; gives the group. Raises NotFound, Conflict, Refused."""
    seen = await queries.membership_by_id(session, membership_id, caller.divisions)
    if seen is None:
        raise NotFound("membership_unknown", f"no membership {membership_id}")
    group = await _hold(session, caller, seen["group_id"])
    row = await queries.membership_by_id(session, membership_id, caller.divisions)
    if row is None or row["left_on"] is not None:
        raise Conflict("membership_ended", "this person's last day is known already")
    refuse_if(rules.leaving_faults(left_on, joined_on=row["joined_on"], today=clock.today()))
    ended = update(Membership).where(Membership.membership_id == membership_id)
    await session.execute(ended.values(left_on=left_on))
    await _note(session, caller, group, "mutual_aid_group.left", group["group_id"])
    return UUID(str(group["group_id"]))


async def record_activity(
    session: AsyncSession,
    caller: Caller,
    group_id: UUID,
    *,
    held_on: date,
    kind: ActivityKind,
    person_ids: list[UUID],
) -> dict[str, Any]:
    """Write an entry of the log; gives it. Raises NotFound, or Refused listing every fault."""
    group = await _hold(session, caller, group_id)
    refuse_if(
        rules.activity_faults(
            held_on=held_on,
            founded_on=group["founded_on"],
            dissolved_on=group["dissolved_on"],
            people=person_ids,
            members=await queries.people_on(session, group_id, held_on),
            today=clock.today(),
        )
    )
    row = _stamped(caller, group["division_code"]) | {
        "activity_id": identity.new_id(),
        "group_id": group_id,
        "held_on": held_on,
        "kind": kind,
        "person_ids": person_ids,
    }
    await session.execute(insert(Activity), [row])
    await _note(session, caller, group, "mutual_aid_activity.recorded", group_id)
    return row


async def open_centre(
    session: AsyncSession,
    caller: Caller,
    *,
    division_code: str,
    name: str,
    capacity: int,
    opened_on: date,
) -> UUID:
    """Enter a home-care centre; ``capacity`` in people. Raises Forbidden or Refused."""
    centre_id = identity.new_id()
    row = _stamped(caller, division_code) | {
        "centre_id": centre_id,
        "name": name,
        "capacity": capacity,
        "opened_on": _past("opened_on", opened_on),
    }
    await session.execute(insert(HomeCareCentre), [row])
    await _note(session, caller, row, "home_care_centre.opened", centre_id)
    return centre_id


async def close_centre(
    session: AsyncSession, caller: Caller, centre_id: UUID, closed_on: date
) -> None:
    """Note a centre's last day. Raises NotFound, Conflict (``centre_closed``) or Refused."""
    officer_of(caller)
    row = await queries.centre_by_id(session, centre_id, caller.divisions, lock=True)
    if row is None:
        raise NotFound("centre_unknown", f"no home-care centre {centre_id}")
    if row["closed_on"] is not None:
        raise Conflict("centre_closed", f"this centre closed on {row['closed_on']}")
    today = clock.today()
    refuse_if(rules.ending_faults("closed_on", closed_on, since=row["opened_on"], today=today))
    ended = update(HomeCareCentre).where(HomeCareCentre.centre_id == centre_id)
    await session.execute(ended.values(closed_on=closed_on))
    await _note(session, caller, row, "home_care_centre.closed", centre_id)


async def _hold(session: AsyncSession, caller: Caller, group_id: UUID) -> RowMapping:
    officer_of(caller)
    row = await queries.group_by_id(session, group_id, caller.divisions, lock=True)
    if row is None:
        raise NotFound("group_unknown", f"no mutual-aid group {group_id}")
    return row


async def _hold_open(session: AsyncSession, caller: Caller, group_id: UUID) -> RowMapping:
    row = await _hold(session, caller, group_id)
    if row["dissolved_on"] is not None:
        raise Conflict("group_dissolved", f"this group was dissolved on {row['dissolved_on']}")
    return row


def _past(where: str, day: date) -> date:
    if day > clock.today():
        refuse_if([fault(where, "date_in_future", "日期不能晚于今天")])
    return day


def _stamped(caller: Caller, division_code: str) -> dict[str, Any]:
    officer = officer_of(caller)
    if not caller.covers(division_code):
        raise Forbidden(
            "division_not_covered", f"your token does not cover the division {division_code}"
        )
    return {"division_code": division_code, "recorded_by": officer, "recorded_at": clock.now()}


async def _note(
    session: AsyncSession, caller: Caller, row: Any, action: str, subject: UUID, **detail: str
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type=action.split(".", 1)[0],
        subject_id=subject,
        division_code=row["division_code"],
        detail=detail or None,
    )
