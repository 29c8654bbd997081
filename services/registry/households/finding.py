"""Households listed, searched and counted, within the caller's divisions (C3).

By the driver: a search is asked many times a minute, and SQLAlchemy's share of it was the larger
half. Row-level security asks for the divisions again underneath; the ranges here let an index
serve.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.registry import Category, State
from shared.db import EVERYWHERE, driver_of, successor

_At = Callable[[Any], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is narrowed to; all that is given must hold."""

    division: str | None = None
    category: Category | None = None
    state: State | None = None
    name_prefix: str | None = None
    id_number_hash: bytes | None = None
    number: str | None = None

    @property
    def names_some(self) -> bool:
        """Whether it means few households, by a person or a number."""
        return bool(self.name_prefix or self.id_number_hash or self.number)


async def list_households(
    session: AsyncSession,
    wanted: Filter,
    *,
    divisions: Sequence[str],
    after: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Current households in the order of their ids, after one; with their head's name, unmasked.

    The head of a closed file may stand in other divisions by now: then without it.
    """
    values: list[Any] = []
    at = _placed(values)
    lies = _ranges(at, divisions)
    conditions = [lies("h"), *_narrowed(at, wanted)]
    if after is not None:
        conditions.append(f"h.household_id > {at(after)}")
    # The heads of the page alone are looked up, not those of everybody found.
    query = f"""
        SELECT page.*, head.name AS head_name FROM (
            SELECT h.household_id, h.household_no, h.division_code, h.state, h.category, h.n,
                h.effective_from, h.version, h.head_person_id
            FROM households AS h
            WHERE {" AND ".join(conditions)} ORDER BY h.household_id LIMIT {at(limit)}) AS page
        LEFT JOIN persons AS head ON head.person_id = page.head_person_id AND {lies("head")}
        ORDER BY page.household_id"""  # noqa: S608 (own constants)
    if not wanted.names_some:
        await follow_index(session)
    return list(await driver_of(session).fetch(query, *values))


async def count_households(
    session: AsyncSession, wanted: Filter, *, divisions: Sequence[str], digits: int
) -> list[asyncpg.Record]:
    """How many households and people by division (of so many digits), category and state."""
    values: list[Any] = [digits]
    at = _placed(values)
    conditions = [_ranges(at, divisions)("h"), *_narrowed(at, wanted)]
    query = f"""
        SELECT left(h.division_code, $1) AS division_code, h.category, h.state,
            count(*) AS households, sum(h.n) AS people
        FROM households AS h WHERE {" AND ".join(conditions)}
        GROUP BY 1, h.category, h.state ORDER BY 1, h.category, h.state"""  # noqa: S608 (own constants)
    return list(await driver_of(session).fetch(query, *values))


async def follow_index(session: AsyncSession) -> None:
    """Read pages in the order of their index for the rest of the transaction.

    Row-level security makes few rows seem likely: all that is left would be sorted, every page.
    """
    await driver_of(session).execute("SET LOCAL enable_sort = off")


def _placed(values: list[Any]) -> _At:
    def at(value: Any) -> str:
        values.append(value)
        return f"${len(values)}"

    return at


def _ranges(at: _At, divisions: Sequence[str]) -> Callable[[str], str]:
    """The condition that a table's row lies under one of these codes, by the table's name."""
    if EVERYWHERE in divisions:
        return lambda _table: "true"
    bounds = [(at(prefix), at(successor(prefix))) for prefix in divisions]

    def lies(table: str) -> str:
        code = f"{table}.division_code"
        return f"({' OR '.join(f'{code} >= {low} AND {code} < {high}' for low, high in bounds)})"

    return lies if bounds else lambda _table: "false"


def _narrowed(at: _At, wanted: Filter) -> list[str]:
    conditions = []
    if wanted.division:
        conditions.append(_ranges(at, [wanted.division])("h"))
    if wanted.category:
        conditions.append(f"h.category = {at(wanted.category.value)}")
    if wanted.state:
        conditions.append(f"h.state = {at(wanted.state.value)}")
    if wanted.name_prefix:
        # As a range: with ^@ the plan that serves every prefix alike could use no index. And found
        # first: how many a prefix means cannot be guessed, and a wrong guess reads every household.
        low, high = at(wanted.name_prefix), at(successor(wanted.name_prefix))
        name = 'persons.name COLLATE "C"'
        who = _PLACES.format(person=f"{name} >= {low} AND {name} < {high}")
        conditions.append(f"h.household_id = ANY (ARRAY({who}))")
    if wanted.number:
        conditions.append(_NUMBERED.format(number=at(wanted.number)))
    if wanted.id_number_hash:
        who = _PLACES.format(person=f"persons.id_number_hash = {at(wanted.id_number_hash)}")
        conditions.append(f"h.household_id IN ({who})")
    return conditions


_PLACES = """SELECT members.household_id FROM members JOIN persons USING (person_id)
    WHERE members.left_on IS NULL AND {person}"""
# One list of both numbers, looked up by their indexes: an OR would read every household.
_NUMBERED = """h.household_id IN (
    SELECT household_id FROM households WHERE household_no = {number}
    UNION ALL SELECT household_id FROM household_aliases WHERE number = {number})"""
