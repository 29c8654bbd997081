"""Reading what settling decides on: members wherever they are listed, and households' states."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from asyncpg import Record
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.registry import Member, State
from shared.db import driver_of

_COLUMNS = ", ".join(f"member.{name}" for name in Member.model_fields)
_PLACES = f"""
    SELECT {_COLUMNS}, member.household_id, member.division_code, home.state, home.effective_from
    FROM member_copy AS member JOIN household_copy AS home USING (household_id)
"""  # noqa: S608 (the contract's own field names)
_PLACES_OF_PEOPLE = f"{_PLACES} WHERE member.person_id = ANY ($1)"
_PLACES_IN_HOUSEHOLDS = f"""
    {_PLACES} WHERE member.household_id = ANY ($1) ORDER BY member.household_id, member.position
"""
_PEOPLE = """
    SELECT person_id FROM member_copy WHERE household_id = ANY ($1)
    UNION SELECT person_id FROM labour_profiles WHERE household_id = ANY ($1)
    ORDER BY person_id
"""
_HOMES = """
    SELECT household_id, division_code, state FROM household_copy
    WHERE household_id = ANY ($1) ORDER BY household_id
"""
_LISTING = """
    SELECT DISTINCT household_id FROM member_copy WHERE person_id = ANY ($1)
    ORDER BY household_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A person as one household's file lists them."""

    household_id: UUID
    division_code: str
    state: State
    effective_from: date
    member: Member

    @property
    def rank(self) -> tuple[bool, date, UUID]:
        """Of several files that list a person the highest is theirs: on assistance, then newest."""
        return self.state.on_assistance, self.effective_from, self.household_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A household as far as settling needs it."""

    household_id: UUID
    division_code: str
    state: State


async def people_of(session: AsyncSession, household_ids: Sequence[UUID]) -> list[UUID]:
    """Who is a member of these households, or has their profile there; by id."""
    return [row["person_id"] for row in await driver_of(session).fetch(_PEOPLE, household_ids)]


async def households_listing(session: AsyncSession, person_ids: Sequence[UUID]) -> list[UUID]:
    """The households whose files list these people; somebody who moves is in two for a while."""
    return [row["household_id"] for row in await driver_of(session).fetch(_LISTING, person_ids)]


async def places_of(session: AsyncSession, person_ids: Sequence[UUID]) -> dict[UUID, Place]:
    """Where each of these people belongs; who is no member anywhere is left out."""
    rows = await driver_of(session).fetch(_PLACES_OF_PEOPLE, person_ids)
    found: dict[UUID, Place] = {}
    for place in map(_place, rows):
        known = found.get(place.member.person_id)
        if known is None or known.rank < place.rank:
            found[place.member.person_id] = place
    return found


async def members_of(
    session: AsyncSession, household_ids: Sequence[UUID]
) -> dict[UUID, list[Member]]:
    """The members of these households in the registry's order."""
    rows = await driver_of(session).fetch(_PLACES_IN_HOUSEHOLDS, household_ids)
    found: dict[UUID, list[Member]] = {}
    for place in map(_place, rows):
        found.setdefault(place.household_id, []).append(place.member)
    return found


async def homes(session: AsyncSession, household_ids: Sequence[UUID]) -> list[Home]:
    """These households as the registry last told them, by id."""
    return [
        Home(
            household_id=row["household_id"],
            division_code=row["division_code"],
            state=State(row["state"]),
        )
        for row in await driver_of(session).fetch(_HOMES, household_ids)
    ]


def _place(row: Record) -> Place:
    return Place(
        household_id=row["household_id"],
        division_code=row["division_code"],
        state=State(row["state"]),
        effective_from=row["effective_from"],
        member=Member.model_validate({name: row[name] for name in Member.model_fields}),
    )
