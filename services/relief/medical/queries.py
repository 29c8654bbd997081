"""What is asked when bills are decided on: whose years, which bills, what they were owed so far."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from asyncpg import Record
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical.rules import Bill
from shared.asked import prefix_of
from shared.contracts.registry import Category, FactPeriod
from shared.db import driver_of

_PERIODS = TypeAdapter(tuple[FactPeriod, ...])


class Year(NamedTuple):
    """A person's calendar year of discharges: what one lock covers and one cap limits."""

    person_id: UUID
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """What is needed of the copy of one household."""

    household_id: UUID
    division_code: str
    tags: tuple[Category, ...]
    periods: tuple[FactPeriod, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A settlement and what its decisions so far come to; ``number`` counts them."""

    settlement_id: UUID
    person_id: UUID
    household_id: UUID
    division_code: str
    discharged_on: date
    bill: Bill
    number: int
    total: Decimal
    reason: str | None
    category: str | None

    @property
    def year(self) -> Year:
        """The year that it counts into."""
        return Year(self.person_id, self.discharged_on.year)


async def years_of_file(
    session: AsyncSession, file_id: UUID, *, after: UUID | None, limit: int
) -> list[Year]:
    """The years of the next ``limit`` people of a file, by person."""
    rows = await driver_of(session).fetch(_OF_FILE, file_id, after, limit)
    return [Year(row["person_id"], row["year"]) for row in rows]


async def count_people_of_file(session: AsyncSession, file_id: UUID) -> int:
    """How many people a file has settlements of."""
    return int(await driver_of(session).fetchval(_COUNT_OF_FILE, file_id))


async def years_of_households(
    session: AsyncSession, household_ids: Collection[UUID], since: date
) -> list[Year]:
    """The years with discharges since a day that were settled for these households."""
    rows = await driver_of(session).fetch(_OF_HOUSEHOLDS, list(household_ids), since)
    return [Year(row["person_id"], row["year"]) for row in rows]


async def years_of_division(
    session: AsyncSession, division: str, since: date, *, after: UUID | None, limit: int
) -> list[Year]:
    """The years with discharges since a day of the next ``limit`` people of a division."""
    prefix = prefix_of(division)
    rows = await driver_of(session).fetch(_OF_DIVISION, prefix, since, after, limit)
    return [Year(row["person_id"], row["year"]) for row in rows]


async def hold_households(session: AsyncSession, years: Collection[Year]) -> None:
    """Keep as they are the households that these years were settled for, until the end.

    A household's event that is just being taken in is waited for: it saw no settlement that was
    stored meanwhile.
    """
    people, calendar = _split(sorted(years))
    await driver_of(session).execute(_HOLD_HOUSEHOLDS, people, calendar)


async def hold_years(session: AsyncSession, years: Collection[Year]) -> None:
    """Lock these years until the end, in their order: nobody else decides on them meanwhile."""
    people, calendar = _split(sorted(years))
    await driver_of(session).execute(_OPEN_YEARS, people, calendar)
    await driver_of(session).execute(_HOLD_YEARS, people, calendar)


async def settled(session: AsyncSession, years: Collection[Year]) -> list[Settled]:
    """All settlements of these years with their decisions so far.

    In their places; those that were never decided on follow as they came in. So a cap is used up by
    whoever was decided on first, whatever is decided anew.
    """
    rows = await driver_of(session).fetch(_SETTLED, *_split(sorted(years)))
    return [_settled(row) for row in rows]


async def households(
    session: AsyncSession, household_ids: Collection[UUID]
) -> dict[UUID, Household]:
    """The copies of these households; to be read after the years are held."""
    rows = await driver_of(session).fetch(_HOUSEHOLDS, list(household_ids))
    return {
        row["household_id"]: Household(
            household_id=row["household_id"],
            division_code=row["division_code"],
            tags=tuple(Category(tag) for tag in row["tags"]),
            periods=_PERIODS.validate_json(row["periods"]),
        )
        for row in rows
    }


async def borne(
    session: AsyncSession, household_ids: Sequence[UUID], after: date, until: date
) -> Mapping[UUID, Decimal]:
    """What each household bore itself of its discharges after a day and up to another, in yuan.

    Only of bills that are decided on: what another one will be relieved by is not known yet.
    From here to the end nobody else asks it of them: two people's bills of one household that are
    decided on at once are both seen by whoever comes second. A lock of its own, taken last: who
    holds a person's year must not wait for a household that another one holds for that year.
    """
    await driver_of(session).execute(_HOLD, sorted(household_ids))
    rows = await driver_of(session).fetch(_BORNE, list(household_ids), after, until)
    return {row["household_id"]: row["borne"] for row in rows}


def _split(years: Sequence[Year]) -> tuple[list[UUID], list[int]]:
    return [each.person_id for each in years], [each.year for each in years]


def _settled(row: Record) -> Settled:
    sums = ("cost", "off_list", "basic_paid", "critical_paid", "other_paid")
    kept = {name: row[name] for name in Settled.__dataclass_fields__ if name != "bill"}
    return Settled(bill=Bill(**{name: row[name] for name in sums}), **kept)


_YEAR = "extract(year FROM discharged_on)::int"
_OF_FILE = f"""
    SELECT DISTINCT person_id, {_YEAR} AS year FROM medical_settlements
    WHERE file_id = $1 AND person_id IN (
        SELECT DISTINCT person_id FROM medical_settlements
        WHERE file_id = $1 AND ($2::uuid IS NULL OR person_id > $2) ORDER BY person_id LIMIT $3)
    ORDER BY person_id, year
"""  # noqa: S608 (constants)
_COUNT_OF_FILE = "SELECT count(DISTINCT person_id) FROM medical_settlements WHERE file_id = $1"
_OF_HOUSEHOLDS = f"""
    SELECT DISTINCT person_id, {_YEAR} AS year FROM medical_settlements
    WHERE household_id = ANY ($1::uuid[]) AND discharged_on >= $2
"""  # noqa: S608 (constants)
_OF_DIVISION = f"""
    SELECT DISTINCT person_id, {_YEAR} AS year FROM medical_settlements
    WHERE discharged_on >= $2 AND person_id IN (
        SELECT DISTINCT person_id FROM medical_settlements
        WHERE division_code ^@ $1::text AND discharged_on >= $2
            AND ($3::uuid IS NULL OR person_id > $3)
        ORDER BY person_id LIMIT $4)
    ORDER BY person_id, year
"""  # noqa: S608 (constants)
_THESE = """
    JOIN unnest($1::uuid[], $2::int[]) AS asked(person_id, year)
        ON settlement.person_id = asked.person_id
        AND settlement.discharged_on >= make_date(asked.year, 1, 1)
        AND settlement.discharged_on < make_date(asked.year + 1, 1, 1)
"""
_HOLD_HOUSEHOLDS = f"""
    SELECT FROM household_copy WHERE household_id IN (
        SELECT settlement.household_id FROM medical_settlements AS settlement {_THESE})
    ORDER BY household_id FOR UPDATE
"""  # noqa: S608 (constants)
_OPEN_YEARS = """
    INSERT INTO medical_person_years (person_id, year, granted, cap)
    SELECT asked.person_id, asked.year, 0, 0
    FROM unnest($1::uuid[], $2::int[]) AS asked(person_id, year)
    ORDER BY asked.person_id, asked.year
    ON CONFLICT DO NOTHING
"""
_HOLD_YEARS = """
    SELECT FROM medical_person_years AS held
    JOIN unnest($1::uuid[], $2::int[]) AS asked(person_id, year) USING (person_id, year)
    ORDER BY person_id, year FOR UPDATE OF held
"""
_SETTLED = f"""
    SELECT settlement.*, coalesce(newest.number, 0) AS number,
        coalesce(newest.total, 0.00) AS total, newest.reason, newest.category
    FROM medical_settlements AS settlement {_THESE}
    LEFT JOIN LATERAL (
        SELECT grants.number, grants.place, grants.total, grants.reason, grants.category
        FROM medical_grants AS grants WHERE grants.settlement_id = settlement.settlement_id
        ORDER BY grants.number DESC LIMIT 1) AS newest ON true
    ORDER BY settlement.person_id, newest.place NULLS LAST, settlement.settlement_id
"""  # noqa: S608 (constants)
_HOUSEHOLDS = """
    SELECT household_id, division_code, tags, periods::text AS periods
    FROM household_copy WHERE household_id = ANY ($1::uuid[])
"""
_HOLD = """
    SELECT pg_advisory_xact_lock(hashtextextended('bangfu.medical_alarm:' || household_id, 0))
    FROM (SELECT household_id FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(household_id, place)
          ORDER BY place) AS ordered
"""
_BORNE = """
    SELECT settlement.household_id, sum(greatest(0, settlement.cost - settlement.basic_paid
        - settlement.critical_paid - settlement.other_paid - decided.owed)) AS borne
    FROM medical_settlements AS settlement
    CROSS JOIN LATERAL (
        SELECT sum(grants.amount) AS owed FROM medical_grants AS grants
        WHERE grants.settlement_id = settlement.settlement_id) AS decided
    WHERE settlement.household_id = ANY ($1::uuid[]) AND decided.owed IS NOT NULL
        AND settlement.discharged_on > $2 AND settlement.discharged_on <= $3
    GROUP BY settlement.household_id
"""
