"""What is asked of tekun grants, and all that a household's schedule is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from uuid import UUID

from asyncpg import Record
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.schedules import queries as schedules
from services.relief.tekun.models import Grant
from services.relief.tekun.rules import Form, Reason, Support
from services.relief.tekun.selfcare import Assessment, Item
from shared.db import among, driver_of

schedule_of = partial(schedules.schedule_of, Grant)
grant_by_id = partial(schedules.grant_by_id, Grant)
grants_of_month = partial(schedules.grants_of_month, Grant)
due_grants = partial(schedules.due_grants, Grant)
households_with_grants = partial(schedules.households_with_grants, Grant)
count_households_with_grants = partial(schedules.count_households_with_grants, Grant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A division's month: households and people on tekun, and what it comes to.

    ``missing_standard`` households wait for a figure and are in no total; ``assessment_missing``
    ones get the basic part alone.
    """

    households: int
    above_zero: int
    people: int
    missing_standard: int
    assessment_missing: int
    total_yuan: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who counts in a household now, how they were assessed and where they are supported."""

    members: frozenset[UUID]
    assessments: Sequence[Assessment]
    supports: Sequence[Support]


async def summary_of_month(
    session: AsyncSession, month: date, within: Sequence[Sequence[str]]
) -> Summary:
    """The figures of a division's month."""
    counted = {"assessment_missing": Reason.ASSESSMENT_MISSING.value}
    return Summary(**await schedules.figures_of_month(Grant, session, month, within, counted))


async def reckoned_in(
    session: AsyncSession, household_ids: Sequence[UUID], month: date
) -> set[UUID]:
    """Which of these households have their standard reckoned for a month."""
    of_these = among(Grant.household_id, household_ids)
    held = schedules.held_in(Grant, month, (), extra=of_these).subquery()
    rows = select(held.c.household_id).where(held.c.entitled, held.c.amount.is_not(None))
    return set(await session.scalars(rows))


async def people_on_tekun(
    session: AsyncSession, person_ids: Sequence[UUID], month: date
) -> set[UUID]:
    """Which of these people are for a month in a tekun household with a claim."""
    rows = await driver_of(session).fetch(_ON_TEKUN, list(person_ids), month)
    return {row["person_id"] for row in rows}


async def people_of(session: AsyncSession, household_ids: Sequence[UUID]) -> dict[UUID, People]:
    """What the standards of these households rest on, for each of them."""
    driver, ids = driver_of(session), list(household_ids)
    members = _by_household(await driver.fetch(_MEMBERS, ids))
    assessments = _by_household(await driver.fetch(_ASSESSMENTS, ids))
    supports = _by_household(await driver.fetch(_SUPPORTS, ids))
    return {
        household_id: People(
            members=frozenset(row["person_id"] for row in members.get(household_id, ())),
            assessments=[_assessment(row) for row in assessments.get(household_id, ())],
            supports=[_support(row) for row in supports.get(household_id, ())],
        )
        for household_id in household_ids
    }


def _by_household(rows: Sequence[Record]) -> Mapping[UUID, list[Record]]:
    found: dict[UUID, list[Record]] = {}
    for row in rows:
        found.setdefault(row["household_id"], []).append(row)
    return found


def _assessment(row: Record) -> Assessment:
    return Assessment(
        assessment_id=row["assessment_id"],
        person_id=row["person_id"],
        assessed_on=row["assessed_on"],
        confirmed_on=row["confirmed_on"],
        failed=tuple(Item(item) for item in row["failed"]),
        document_number=row["document_number"],
        attachment_id=row["attachment_id"],
    )


def _support(row: Record) -> Support:
    return Support(
        support_id=row["support_id"],
        person_id=row["person_id"],
        form=Form(row["form"]),
        valid_from=row["valid_from"],
        institution_id=row["institution_id"],
    )


_MEMBERS = """
    SELECT household_id, person_id FROM member_copy WHERE household_id = ANY ($1) AND counted
"""
_ASSESSMENTS = """
    SELECT household_id, assessment_id, person_id, assessed_on, confirmed_on, failed,
        document_number, attachment_id
    FROM tekun_assessments WHERE household_id = ANY ($1) AND confirmed_on IS NOT NULL
    ORDER BY assessment_id
"""
_SUPPORTS = """
    SELECT household_id, support_id, person_id, form, valid_from, institution_id
    FROM tekun_supports WHERE household_id = ANY ($1) ORDER BY support_id
"""
_ON_TEKUN = """
    SELECT DISTINCT member.person_id
    FROM member_copy AS member CROSS JOIN LATERAL (
        SELECT entitled FROM tekun_grants AS held
        WHERE held.household_id = member.household_id AND held.superseded_at IS NULL
            AND held.from_month <= $2 AND (held.until_month IS NULL OR held.until_month > $2)
        ORDER BY held.from_month DESC LIMIT 1) AS held
    WHERE member.person_id = ANY ($1) AND member.counted AND held.entitled
"""
