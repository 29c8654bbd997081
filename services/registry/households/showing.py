"""One household as it is shown: its facts on a day, its people, and the audit line of the look.

The most frequent read of all, so it is one statement; lists and the rest are in ``views``.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.registry.households import sealed
from services.registry.households.facts import Facts
from services.registry.households.schemas import HouseholdOut
from services.registry.households.views import PLAIN
from shared import clock
from shared.auth import Caller
from shared.contracts.registry import Member
from shared.db import COVERED
from shared.looks import Look

# Who moved to another county since is not among the people, though he is in the facts.
_HOUSEHOLD = f"""
    SELECT household_id::text AS subject_id, facts->>'division_code' AS division_code,
           household_no, version, revision, phone_encrypted, account_encrypted,
           valid_from, facts::text, people.*
    FROM households CROSS JOIN LATERAL (
        SELECT valid_from, facts FROM household_versions AS archive
        WHERE archive.household_id = households.household_id AND valid_from <= $3
            AND ($4::timestamptz IS NULL OR recorded_at <= $4)
        ORDER BY valid_from DESC, revision DESC LIMIT 1
    ) AS known CROSS JOIN LATERAL (
        SELECT array_agg(person_id) AS person_ids, array_agg(name) AS names,
               array_agg(id_number_encrypted) AS numbers, array_agg(phone_encrypted) AS phones
        FROM persons
        WHERE person_id = ANY (ARRAY(
            SELECT (member->>'person_id')::uuid
            FROM jsonb_array_elements(facts->'members') AS members(member)
        )) AND {COVERED.format(at=2, column="persons.division_code")}
    ) AS people
    WHERE household_id = $1 AND {COVERED.format(at=2, column="households.division_code")}
"""  # noqa: S608 (constants)


async def household(
    look: Look,
    caller: Caller,
    household_id: UUID,
    *,
    as_of: date | None,
    known_at: datetime | None,
) -> HouseholdOut | None:
    """One household with its people; audited when there is one."""
    day, plain = as_of or clock.today(), caller.can(PLAIN)
    found = await look.at(
        _HOUSEHOLD,
        household_id,
        caller.divisions,
        day,
        known_at,
        action="household.read",
        subject_type="household",
        detail={"plain": plain},
    )
    return _shown(household_id, found[0], day, plain=plain) if found else None


def _shown(household_id: UUID, row: asyncpg.Record, day: date, *, plain: bool) -> HouseholdOut:
    facts = Facts.model_validate_json(row["facts"])
    who = _who(row, plain=plain)
    members = [_member(member, who) for member in facts.members]
    return HouseholdOut.model_validate(
        {
            **facts.__dict__,
            "household_id": household_id,
            "household_no": row["household_no"],
            "version": row["version"],
            "revision": row["revision"],
            "as_of": day,
            "effective_from": row["valid_from"],
            "n": facts.n,
            "members": members,
            "phone": sealed.show_phone(row["phone_encrypted"], plain=plain),
            "account": sealed.show_account(row["account_encrypted"], plain=plain),
        }
    )


def _who(row: asyncpg.Record, *, plain: bool) -> dict[UUID, dict[str, str | None]]:
    people = zip(
        *(row[name] or () for name in ("person_ids", "names", "numbers", "phones")), strict=True
    )
    return {
        person_id: {
            "name": sealed.show_name(name, plain=plain),
            "id_number": sealed.show_id_number(number, plain=plain),
            "phone": sealed.show_phone(phone, plain=plain),
        }
        for person_id, name, number, phone in people
    }


_UNKNOWN: Mapping[str, str | None] = {"name": "", "id_number": None, "phone": None}
"""A former member who moved to another county since is shown without who it is."""


def _member(member: Member, who: Mapping[UUID, Mapping[str, str | None]]) -> dict[str, Any]:
    return {**member.__dict__, **who.get(member.person_id, _UNKNOWN)}
