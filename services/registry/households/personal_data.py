"""Names, phones and ID numbers of people who are registered: what is stored, what a change differs.

``persons`` registers people and gives them places; here their data is corrected afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.duplicates import candidates
from services.registry.households import persons, sealed
from services.registry.households.facts import MemberChange
from services.registry.households.models import Person
from shared import identity
from shared.auth import Caller
from shared.db import in_divisions


@dataclass(frozen=True, slots=True)
class Stored:
    """A person's data as it is kept: the name plain, the phone encrypted, the number hashed."""

    name: str
    phone_encrypted: bytes | None
    id_number_hash: bytes | None


async def stored(
    session: AsyncSession, caller: Caller, person_ids: Sequence[UUID]
) -> dict[UUID, Stored]:
    """Without those who left the household and stand outside the caller's divisions by now."""
    if not person_ids:
        return {}
    rows = await session.execute(
        select(Person.person_id, Person.name, Person.phone_encrypted, Person.id_number_hash)
        .where(Person.person_id.in_(person_ids))
        .where(in_divisions(Person.division_code, caller.divisions))
    )
    return {
        row.person_id: Stored(row.name, row.phone_encrypted, row.id_number_hash) for row in rows
    }


async def taken(
    session: AsyncSession, corrected: Sequence[Mapping[UUID, identity.IdNumber]]
) -> set[bytes]:
    """Hashes of corrected numbers that belong to somebody else, in any county."""
    owners = {
        sealed.hash_id_number(number.number): person_id
        for each in corrected
        for person_id, number in each.items()
    }
    if not owners:
        return set()
    found = await persons.find_elsewhere(session, owners)
    return {each for each, other in found.items() if other.person_id != owners[each]}


def differing(
    known: Stored, member: MemberChange, number: identity.IdNumber | None
) -> dict[str, Any]:
    """The columns of ``persons`` that ``member`` changes; ``number`` is its ID number, read."""
    row: dict[str, Any] = {}
    if member.name is not None and member.name.strip() != known.name:
        row["name"] = member.name.strip()
    if member.phone is not None and not sealed.same_phone(known.phone_encrypted, member.phone):
        row["phone_encrypted"] = sealed.seal_phone(member.phone)
        row["phone_hash"] = sealed.hash_phone(member.phone)
    if number and sealed.hash_id_number(number.number) != known.id_number_hash:
        row |= {
            "id_number_hash": sealed.hash_id_number(number.number),
            "id_number_encrypted": sealed.seal_id_number(number.number),
            "sex": number.sex,
            "birth_date": number.birth_date,
        }
    return row


async def write(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what differs: each row names its person as ``of_person``; one statement a shape.

    Whoever may be somebody registered already is noted (``duplicates``).
    """
    for columns in {tuple(sorted(row)) for row in rows}:
        await session.execute(
            update(Person.__table__)  # type: ignore[arg-type] # a mapped class has a Table
            .where(Person.person_id == bindparam("of_person"))
            .values({name: bindparam(name) for name in columns if name != "of_person"}),
            [row for row in rows if tuple(sorted(row)) == columns],
        )
    await candidates.note(session, [row["of_person"] for row in rows])
