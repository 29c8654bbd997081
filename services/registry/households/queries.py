"""How households and persons are read: within the caller's divisions, set-based.

Row-level security asks the same again underneath; the filter here lets an index serve it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.registry.households.facts import Facts, LeaveReason
from services.registry.households.models import Household as Row
from services.registry.households.models import Member, Person
from shared.db import COVERED, driver_of, in_divisions


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPerson:
    """A person by ID number. ``household_id`` is the open household he stands in, if any.

    ``died``: he left his last household by death.
    """

    person_id: UUID
    household_id: UUID | None
    division_code: str
    died: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """Who a person is, still sealed."""

    person_id: UUID
    division_code: str
    name: str
    id_number_encrypted: bytes | None
    phone_encrypted: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A household's record: as it is now, or its facts as they were asked for."""

    household_id: UUID
    household_no: str
    version: int
    revision: int
    effective_from: date
    facts: Facts
    phone_encrypted: bytes | None = None
    account_encrypted: bytes | None = None


async def find_persons_by_hash(
    session: AsyncSession, hashes: Iterable[bytes], *, divisions: Sequence[str]
) -> dict[bytes, FoundPerson]:
    """Persons in ``divisions`` by the hash of their ID number (``sealed.hash_id_number``)."""
    standing = and_(Member.person_id == Person.person_id, Member.left_on.is_(None))
    dead = aliased(Member)
    died = exists().where(
        dead.person_id == Person.person_id, dead.left_reason == LeaveReason.DIED.value
    )
    rows = await session.execute(
        select(
            Person.id_number_hash,
            Person.person_id,
            Member.household_id,
            Person.division_code,
            and_(Member.household_id.is_(None), died).label("died"),
        )
        .outerjoin(Member, standing)
        .where(Person.id_number_hash.in_(list(hashes)))
        .where(in_divisions(Person.division_code, divisions))
    )
    return {
        row.id_number_hash: FoundPerson(
            person_id=row.person_id,
            household_id=row.household_id,
            division_code=row.division_code,
            died=row.died,
        )
        for row in rows
        if row.id_number_hash
    }


async def load_persons(
    session: AsyncSession, person_ids: Iterable[UUID], *, divisions: Sequence[str]
) -> dict[UUID, PersonalData]:
    """Personal data by person id, only of persons in ``divisions``; whoever shows it audits it."""
    rows = await driver_of(session).fetch(_PERSONS, list(person_ids), divisions)
    return {row["person_id"]: PersonalData(**row) for row in rows}


_PERSONS = f"""
    SELECT person_id, division_code, name, id_number_encrypted, phone_encrypted FROM persons
    WHERE person_id = ANY ($1::uuid[]) AND {COVERED.format(at=2, column="division_code")}
"""  # noqa: S608 (constants)


async def payees(
    session: AsyncSession, household_ids: Iterable[UUID], *, divisions: Sequence[str]
) -> Sequence[Mapping[str, Any]]:
    """Heads' names and sealed accounts of the households in ``divisions``; whoever shows them
    audits it.
    """
    rows = await driver_of(session).fetch(_PAYEES, list(household_ids), divisions)
    return [dict(row) for row in rows]


_PAYEES = f"""
    SELECT household_id, households.division_code, account_encrypted, persons.name
    FROM households
    LEFT JOIN persons ON person_id = head_person_id
        AND {COVERED.format(at=2, column="persons.division_code")}
    WHERE household_id = ANY ($1::uuid[])
        AND {COVERED.format(at=2, column="households.division_code")}
    ORDER BY household_id
"""  # noqa: S608 (constants)


async def load_households(
    session: AsyncSession,
    household_ids: Iterable[UUID],
    *,
    divisions: Sequence[str],
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> dict[UUID, Household]:
    """Records by id; those outside ``divisions``, or without facts then, are not there.

    ``as_of`` is the day the facts held (today unless given), ``known_at`` the moment we knew them
    (now unless given).
    """
    rows = await driver_of(session).fetch(
        _HOUSEHOLDS, list(household_ids), divisions, as_of, known_at
    )
    return {row["household_id"]: _household(row) for row in rows}


_HOUSEHOLDS = f"""
    SELECT household_id, household_no, version, revision, phone_encrypted, account_encrypted,
           CASE WHEN $3::date IS NULL THEN effective_from ELSE valid_from END AS effective_from,
           facts
    FROM households CROSS JOIN LATERAL (
        SELECT valid_from, facts::text FROM household_versions AS archive
        WHERE archive.household_id = households.household_id
            AND ($3::date IS NULL OR valid_from <= $3)
            AND ($4::timestamptz IS NULL OR recorded_at <= $4)
        ORDER BY valid_from DESC, revision DESC LIMIT 1
    ) AS known
    WHERE household_id = ANY ($1::uuid[]) AND {COVERED.format(at=2, column="division_code")}
"""  # noqa: S608 (constants)


def _household(row: asyncpg.Record) -> Household:
    return Household(**{**row, "facts": Facts.model_validate_json(row["facts"])})


async def standing_of(
    session: AsyncSession, person_ids: Iterable[UUID], *, divisions: Sequence[str]
) -> Mapping[UUID, UUID]:
    """The open household of each of these persons in ``divisions``."""
    rows = await session.execute(
        select(Member.person_id, Member.household_id)
        .where(Member.person_id.in_(list(person_ids)))
        .where(Member.left_on.is_(None))
        .where(in_divisions(Member.division_code, divisions))
    )
    return {row.person_id: row.household_id for row in rows}


async def division_of(
    session: AsyncSession, household_id: UUID, *, divisions: Sequence[str]
) -> str | None:
    """Where a household stands, or None when the caller may not know of it."""
    found: str | None = await session.scalar(
        select(Row.division_code)
        .where(Row.household_id == household_id)
        .where(in_divisions(Row.division_code, divisions))
    )
    return found
