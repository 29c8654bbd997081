"""Who may join a mutual-aid group, what its log takes, and who is left without one (C55). Pure."""

from collections.abc import Collection, Sequence
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.relief.faults import fault
from shared.clock import add_months
from shared.contracts.registry import Sex
from shared.errors import Fault

ELDER_YEARS = 60
"""From this age on a person is an elder (老年人权益保障法 art. 2)."""
CHILD_YEARS = 16
"""Under this age a left-behind child (国发〔2016〕13号)."""


class Role(StrEnum):
    """What a person is in a group."""

    LEADER = "leader"
    HELPER = "helper"
    CARED_FOR = "cared_for"


class ActivityKind(StrEnum):
    """What was done together."""

    VISIT = "visit"
    MEALS = "meals"
    CHORES = "chores"
    ESCORT = "escort"
    CHILDCARE = "childcare"
    GATHERING = "gathering"
    OTHER = "other"


class LeftBehind(StrEnum):
    """Who stays at home while the family works elsewhere (留守老人、妇女、儿童)."""

    ELDER = "elder"
    WOMAN = "woman"
    CHILD = "child"
    OTHER = "other"


def left_behind_kind(birth_date: date, sex: Sex, on: date) -> LeftBehind:
    """How a left-behind person is counted on a day.

    Example: born 1966-06-15: a man is ``other`` on 2026-06-14 and ``elder`` from 2026-06-15 on.
    """
    if add_months(birth_date, 12 * ELDER_YEARS) <= on:
        return LeftBehind.ELDER
    if add_months(birth_date, 12 * CHILD_YEARS) > on:
        return LeftBehind.CHILD
    return LeftBehind.WOMAN if sex is Sex.FEMALE else LeftBehind.OTHER


def joining_faults(
    *,
    role: Role,
    joined_on: date,
    founded_on: date,
    dissolved_on: date | None,
    registered: bool,
    roles_held: Collection[Role],
    has_leader: bool,
    today: date,
) -> list[Fault]:
    """All that speaks against somebody joining. ``registered``: the registry knows the person here.

    Example: a second leader: ``leader_exists``; a neighbour who helps need not be registered, who
    is cared for must be.
    """
    faults = []
    if dissolved_on is not None:
        faults.append(fault("", "group_dissolved", f"该互助组织已于{dissolved_on}解散"))
    if not founded_on <= joined_on <= today:
        message = f"加入日期须在{founded_on}至{today}之间"
        faults.append(fault("joined_on", "joined_on_impossible", message))
    if role is Role.CARED_FOR and not registered:
        message = "被照料人须是本区域内在册家庭成员"
        faults.append(fault("person_id", "person_unknown", message))
    if role in roles_held:
        faults.append(fault("person_id", "already_member", "该人已在组内担任此角色"))
    elif role is Role.LEADER and has_leader:
        faults.append(fault("role", "leader_exists", "该组已有负责人,请先办理离任"))
    return faults


def leaving_faults(left_on: date, *, joined_on: date, today: date) -> list[Fault]:
    """Nobody leaves before they came, or on a day to come."""
    if joined_on <= left_on <= today:
        return []
    return [fault("left_on", "left_on_impossible", f"离开日期须在{joined_on}至{today}之间")]


def activity_faults(
    *,
    held_on: date,
    founded_on: date,
    dissolved_on: date | None,
    people: Sequence[UUID],
    members: Collection[UUID],
    today: date,
) -> list[Fault]:
    """What speaks against a log entry. ``members``: who belonged to the group on that day.

    Example: held on the founding day: fine, the day before: ``held_on_impossible``.
    """
    faults = []
    last = min(dissolved_on or today, today)
    if not founded_on <= held_on <= last:
        message = f"活动日期须在{founded_on}至{last}之间"
        faults.append(fault("held_on", "held_on_impossible", message))
    faults += [
        fault(f"person_ids/{at}", "not_a_member", "该人当日不在组内")
        for at, person in enumerate(people)
        if person not in members
    ]
    return faults


def ending_faults(where: str, last_day: date, *, since: date, today: date) -> list[Fault]:
    """A group or centre ends between its first day and today."""
    if since <= last_day <= today:
        return []
    return [fault(where, f"{where}_impossible", f"日期须在{since}至{today}之间")]
