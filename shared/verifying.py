"""Compares a listener's copy of the households with what the registry has published.

Version by version and field by field. What is still under way is no difference: what differs at the
first look is looked at again until it agrees, moves past the version that it lacked, or patience
ends.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement

from shared import household_copy, parking
from shared.contracts.registry import SOURCE, HouseholdState
from shared.db import Database, in_divisions
from shared.household_copy import household_copy as table
from shared.paging import MOST_ITEMS
from shared.registry_client import Asking

PATH = "/v1/published-households"
SCOPE = "registry.households:verify"
PURPOSE = "events-verify"
LOOK_AGAIN_EVERY = 1.0


class Kind(StrEnum):
    """In which way a copy is not what the registry published."""

    MISSING = "missing here"
    BEHIND = "behind"
    AHEAD = "ahead of the registry"
    OTHER_CONTENT = "other content"
    UNKNOWN = "unknown to the registry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One household that differs. ``fields`` names what, where both have the same version."""

    household_id: UUID
    kind: Kind
    here: int | None
    registry: int | None
    fields: tuple[str, ...] = ()
    parked: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many households were compared, in which divisions, and every difference that stayed."""

    compared: int
    divisions: Sequence[str]
    differences: Sequence[Difference]


class Published(BaseModel):
    """One item of the registry's answer."""

    household_id: UUID
    version: int
    state: HouseholdState


class Page(BaseModel):
    """The registry's answer."""

    items: list[Published]
    next_cursor: str | None
    divisions: list[str]


async def verify(
    database: Database,
    ask: Asking,
    *,
    patience: float,
    tell: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """Compare all households of the token's divisions. ``tell`` hears the number so far.

    Reads both sides page by page in the order of their ids; changes nothing. Raises what ``ask``
    raises.
    """
    first, compared, divisions = await _first_look(database, ask, tell)
    lasting = await _look_again(database, ask, first, patience)
    return Verdict(compared, divisions, [lasting[each] for each in sorted(lasting)])


async def _first_look(
    database: Database, ask: Asking, tell: Callable[[int], None]
) -> tuple[dict[UUID, Difference], int, list[str]]:
    found: dict[UUID, Difference] = {}
    compared, after, cursor = 0, None, None
    while True:
        page = await _page(ask, {"limit": MOST_ITEMS, **({"cursor": cursor} if cursor else {})})
        last = page.items[-1].household_id if page.next_cursor else None
        async with database.transaction() as session:
            here = await household_copy.rows(session, *_between(after, last, page.divisions))
        differences = compare(page.items, here)
        found |= {each.household_id: each for each in differences}
        compared += len({item.household_id for item in page.items} | _ids(here))
        tell(compared)
        after, cursor = last, page.next_cursor
        if cursor is None:
            return found, compared, page.divisions


def _between(
    after: UUID | None, last: UUID | None, divisions: Sequence[str]
) -> list[ColumnElement[bool]]:
    conditions = [in_divisions(table.c.division_code, divisions)]
    if after is not None:
        conditions.append(table.c.household_id > after)
    if last is not None:
        conditions.append(table.c.household_id <= last)
    return conditions


async def _look_again(
    database: Database, ask: Asking, first: Mapping[UUID, Difference], patience: float
) -> dict[UUID, Difference]:
    """What of ``first`` still differs after at most ``patience`` seconds."""
    left = dict(first)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while left:
        now: dict[UUID, Difference] = {}
        ids = list(left)
        for begin in range(0, len(ids), MOST_ITEMS):
            now |= await _compare_these(database, ask, ids[begin : begin + MOST_ITEMS])
        left = {id_: each for id_, each in now.items() if not _moved_on(each, first[id_])}
        if loop.time() > deadline:
            break
        await asyncio.sleep(LOOK_AGAIN_EVERY)
    return left


def _moved_on(now: Difference, first: Difference) -> bool:
    """Behind again, but past what it lacked at first: events come in, only not the last yet."""
    lagging = now.kind is Kind.BEHIND and first.kind in {Kind.BEHIND, Kind.MISSING}
    return lagging and (now.here or 0) >= (first.registry or 0)


async def _compare_these(
    database: Database, ask: Asking, ids: Sequence[UUID]
) -> dict[UUID, Difference]:
    page = await _page(ask, {"limit": MOST_ITEMS, "household_id": [str(id_) for id_ in ids]})
    async with database.transaction() as session:
        here = await household_copy.rows(session, table.c.household_id.in_(ids))
        stuck = await parking.blocked(session, [(SOURCE, str(id_)) for id_ in ids])
    parked = {UUID(aggregate) for _, aggregate in stuck}
    return {each.household_id: each for each in compare(page.items, here, parked)}


async def _page(ask: Asking, params: dict[str, Any]) -> Page:
    return Page.model_validate(await ask("GET", PATH, params=params))


def _ids(rows: Iterable[Mapping[str, Any]]) -> set[UUID]:
    return {row["household_id"] for row in rows}


def compare(
    published: Sequence[Published],
    here: Sequence[Mapping[str, Any]],
    parked: Iterable[UUID] = (),
) -> list[Difference]:
    """The differences between what the registry published and these rows, by id."""
    registry = {item.household_id: item for item in published}
    copies = {row["household_id"]: row for row in here}
    found = []
    for household_id in sorted(registry.keys() | copies.keys()):
        item, row = registry.get(household_id), copies.get(household_id)
        kind, fields = _kind(item, row)
        if kind is not None:
            found.append(
                Difference(
                    household_id=household_id,
                    kind=kind,
                    here=row["version"] if row else None,
                    registry=item.version if item else None,
                    fields=fields,
                    parked=household_id in set(parked),
                )
            )
    return found


def _kind(
    item: Published | None, row: Mapping[str, Any] | None
) -> tuple[Kind | None, tuple[str, ...]]:
    if item is None:
        return Kind.UNKNOWN, ()
    if row is None:
        return Kind.MISSING, ()
    if row["version"] != item.version:
        return (Kind.BEHIND if row["version"] < item.version else Kind.AHEAD), ()
    fields = _fields(item.state, row)
    return (Kind.OTHER_CONTENT if fields else None), fields


def _fields(state: HouseholdState, row: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths of what differs: ``incomes.wage``, ``members.2.health``."""
    try:
        copy = HouseholdState.model_validate(row)
    except ValidationError as unreadable:
        places = (".".join(map(str, error["loc"])) for error in unreadable.errors())
        return tuple(sorted({f"{place} (unreadable)" for place in places}))
    paths = _paths(state.model_dump(), copy.model_dump())
    strays = [
        f"members.{number}.division_code"
        for number, member in enumerate(row["members"])
        if member["division_code"] != row["division_code"]
    ]
    return (*paths, *strays)


def _paths(one: Any, other: Any, path: str = "") -> list[str]:
    if one == other:
        return []
    if isinstance(one, tuple | list) and isinstance(other, tuple | list) and len(one) == len(other):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for key in one for found in _paths(one[key], other[key], f"{path}{key}.")]
    return [path.removesuffix(".")]
