"""Contacts by place, whether a county has a data steward, and what is missing in its files."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import RowMapping, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.stewards.models import Contact
from services.registry.stewards.rules import Role
from shared import divisions as places
from shared.contracts.registry import State
from shared.db import in_divisions

_COUNTY = len("331124")


async def unattended(session: AsyncSession, division_codes: Collection[str]) -> set[str]:
    """Those of these codes whose county has no data steward today, nor what it belongs to (C59)."""
    counties = {code[:_COUNTY] for code in division_codes}
    above = {county: {county, *places.ancestors(county)} for county in counties}
    held = set(
        await session.scalars(
            select(Contact.division_code).where(
                Contact.role == Role.DATA_STEWARD.value,
                Contact.ended_on.is_(None),
                Contact.division_code.in_(set().union(*above.values())),
            )
        )
    )
    missing = {county for county in counties if not above[county] & held}
    return {code for code in division_codes if code[:_COUNTY] in missing}


async def one(
    session: AsyncSession, contact_id: UUID, *, divisions: Sequence[str]
) -> Contact | None:
    """One contact of the caller's divisions, locked."""
    found: Contact | None = await session.scalar(
        select(Contact)
        .where(Contact.contact_id == contact_id, in_divisions(Contact.division_code, divisions))
        .with_for_update()
    )
    return found


async def page(
    session: AsyncSession,
    *,
    divisions: Sequence[str],
    within: Sequence[str],
    role: Role | None,
    on: date,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Contacts in office on a day, in the order in which they were entered."""
    query = (
        select(Contact.__table__)
        .where(in_divisions(Contact.division_code, divisions))
        .where(in_divisions(Contact.division_code, within))
        .where(Contact.appointed_on <= on)
        .where(func.coalesce(Contact.ended_on, date.max) > on)
        .order_by(Contact.contact_id)
        .limit(limit)
    )
    if role is not None:
        query = query.where(Contact.role == role.value)
    if after is not None:
        query = query.where(Contact.contact_id > after)
    return (await session.execute(query)).mappings().all()


async def quality(
    session: AsyncSession, *, divisions: Sequence[str], within: Sequence[str], digits: int
) -> Sequence[RowMapping]:
    """What is known of the households on assistance, by division of so many digits.

    Counts named as in ``rules.MEASURES``, with ``households`` and ``people``.
    """
    rows = await session.execute(
        _QUALITY,
        {
            "divisions": list(divisions),
            "within": list(within),
            "digits": digits,
            "states": [state.value for state in State if state.on_assistance],
        },
    )
    return rows.mappings().all()


_QUALITY = text("""
SELECT left(h.division_code, :digits) AS division_code,
    count(*) AS households, sum(m.people)::bigint AS people,
    sum(m.id_numbers)::bigint AS id_numbers, sum(m.insured_stated)::bigint AS insured_stated,
    sum(m.work_stated)::bigint AS work_stated,
    count(h.phone_encrypted) AS phones, count(h.account_encrypted) AS accounts,
    count(*) FILTER (WHERE cardinality(h.causes) > 0) AS causes,
    count(h.house_grade) AS house_grades,
    count(*) FILTER (WHERE g.kinds = 5) AS guarantees
FROM households AS h
CROSS JOIN LATERAL (
    SELECT count(*) AS people, count(p.id_number_hash) AS id_numbers,
        count(m.insured) AS insured_stated, count(m.work) AS work_stated
    FROM members AS m JOIN persons AS p ON p.person_id = m.person_id
    WHERE m.household_id = h.household_id AND m.left_on IS NULL
) AS m
CROSS JOIN LATERAL (
    SELECT count(DISTINCT kind) AS kinds FROM guarantees
    WHERE guarantees.household_id = h.household_id
) AS g
WHERE h.state = ANY(:states)
    AND EXISTS (SELECT FROM unnest(CAST(:divisions AS text[])) AS mine(prefix)
        WHERE h.division_code ^@ mine.prefix)
    AND EXISTS (SELECT FROM unnest(CAST(:within AS text[])) AS asked(prefix)
        WHERE h.division_code ^@ asked.prefix)
GROUP BY 1 ORDER BY 1
""")
