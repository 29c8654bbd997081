"""What is asked of premium runs: by their actions, by their jobs and by the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import RowMapping, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.premiums.models import PremiumException, PremiumRun, PremiumSubsidy
from shared.asked import prefix_of
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import Category, FactPeriod
from shared.db import driver_of, in_divisions

_PERIODS = TypeAdapter(tuple[FactPeriod, ...])
_LISTED = tuple(column for column in PremiumSubsidy.__table__.c if column.name != "basis")


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """What is needed of the copy of one household; ``people`` are its members, who count or not."""

    household_id: UUID
    division_code: str
    tags: tuple[Category, ...]
    periods: tuple[FactPeriod, ...]
    people: tuple[tuple[UUID, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTotals:
    """What a run has come to so far, in yuan, reckoned from its subsidies."""

    people: int
    total_yuan: Decimal
    exceptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubsidyFilter:
    """Which subsidies are asked for; what is None does not matter."""

    run_id: UUID | None = None
    household_id: UUID | None = None
    person_id: UUID | None = None
    year: int | None = None


async def run_by_id(
    session: AsyncSession, run_id: UUID, divisions: Sequence[str], *, lock: bool = False
) -> RowMapping | None:
    """One run as it was ordered; with ``lock``, held until the transaction ends."""
    mine = and_(PremiumRun.run_id == run_id, in_divisions(PremiumRun.division_code, divisions))
    wanted = select(PremiumRun.__table__).where(mine)
    rows = await session.execute(wanted.with_for_update() if lock else wanted)
    return rows.mappings().one_or_none()


async def runs(
    session: AsyncSession,
    within: Sequence[Sequence[str]],
    *,
    year: int | None,
    unconfirmed: bool,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Runs by their ids, which ascend with time; of a year, not yet paid, where asked."""
    conditions = [in_divisions(PremiumRun.division_code, covered) for covered in within]
    if year is not None:
        conditions.append(PremiumRun.year == year)
    if unconfirmed:
        conditions.append(PremiumRun.paid_on.is_(None))
    if after is not None:
        conditions.append(PremiumRun.run_id > after)
    rows = select(PremiumRun.__table__).where(*conditions)
    return (await session.execute(rows.order_by(PremiumRun.run_id).limit(limit))).mappings().all()


async def run_totals(session: AsyncSession, run_id: UUID, divisions: Sequence[str]) -> RunTotals:
    """The sum of a run's subsidies to the fen, and how many people it had to leave out."""
    summed = select(
        func.count(), func.coalesce(func.sum(PremiumSubsidy.amount), Decimal("0.00"))
    ).where(PremiumSubsidy.run_id == run_id, in_divisions(PremiumSubsidy.division_code, divisions))
    people, total = (await session.execute(summed)).one()
    left_out = (
        select(func.count())
        .select_from(PremiumException)
        .where(
            PremiumException.run_id == run_id,
            in_divisions(PremiumException.division_code, divisions),
        )
    )
    exceptions = (await session.scalars(left_out)).one()
    return RunTotals(people=people, total_yuan=total, exceptions=exceptions)


async def count_households(session: AsyncSession, division: str) -> int:
    """How many households live in a division."""
    return int(await driver_of(session).fetchval(_COUNT, prefix_of(division)))


async def households_of(
    session: AsyncSession, division: str, *, after: UUID | None, limit: int
) -> list[Household]:
    """The next ``limit`` households that live in a division, by id, with their members."""
    rows = await driver_of(session).fetch(_HOUSEHOLDS, prefix_of(division), after, limit)
    return [
        Household(
            household_id=row["household_id"],
            division_code=row["division_code"],
            tags=tuple(Category(tag) for tag in row["tags"]),
            periods=_PERIODS.validate_json(row["periods"]),
            people=tuple(zip(row["people"], row["counted"], strict=True)),
        )
        for row in rows
    ]


async def holders(session: AsyncSession, year: int, people: Sequence[UUID]) -> dict[UUID, UUID]:
    """For which household each of these people is subsidised in a year, in any county."""
    rows = await driver_of(session).fetch(_HOLDERS, year, list(people))
    return {row["person_id"]: row["household_id"] for row in rows}


async def hold_unconfirmed(session: AsyncSession, run_id: UUID, limit: int) -> Sequence[RowMapping]:
    """The next subsidies of a run that are approved and not yet paid, locked, by id."""
    waiting = and_(
        PremiumSubsidy.run_id == run_id, PremiumSubsidy.status == AssistanceStatus.APPROVED
    )
    rows = select(*_LISTED).where(waiting).order_by(PremiumSubsidy.subsidy_id).limit(limit)
    return (await session.execute(rows.with_for_update())).mappings().all()


async def subsidies(
    session: AsyncSession,
    asked: SubsidyFilter,
    within: Sequence[Sequence[str]],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Subsidies by their ids, which ascend with time, in all of these sets of prefixes."""
    conditions = [in_divisions(PremiumSubsidy.division_code, covered) for covered in within]
    wanted = (
        (PremiumSubsidy.run_id, asked.run_id),
        (PremiumSubsidy.household_id, asked.household_id),
        (PremiumSubsidy.person_id, asked.person_id),
        (PremiumSubsidy.year, asked.year),
    )
    conditions += [column == value for column, value in wanted if value is not None]
    if after is not None:
        conditions.append(PremiumSubsidy.subsidy_id > after)
    rows = select(*_LISTED).where(*conditions).order_by(PremiumSubsidy.subsidy_id).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def subsidy_by_id(
    session: AsyncSession, subsidy_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One subsidy with the basis of its decision."""
    mine = and_(
        PremiumSubsidy.subsidy_id == subsidy_id,
        in_divisions(PremiumSubsidy.division_code, divisions),
    )
    rows = await session.execute(select(PremiumSubsidy.__table__).where(mine))
    return rows.mappings().one_or_none()


async def exceptions_of(
    session: AsyncSession,
    run_id: UUID,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Whom a run left out, by exception id."""
    conditions = [
        PremiumException.run_id == run_id,
        in_divisions(PremiumException.division_code, divisions),
    ]
    if after is not None:
        conditions.append(PremiumException.exception_id > after)
    rows = select(PremiumException.__table__).where(*conditions)
    ordered = rows.order_by(PremiumException.exception_id).limit(limit)
    return (await session.execute(ordered)).mappings().all()


_COUNT = "SELECT count(*) FROM household_copy WHERE division_code ^@ $1::text"
_HOUSEHOLDS = """
    SELECT copy.household_id, copy.division_code, copy.tags, copy.periods::text AS periods,
        member.people, member.counted
    FROM (
        SELECT * FROM household_copy
        WHERE division_code ^@ $1::text AND ($2::uuid IS NULL OR household_id > $2)
        ORDER BY household_id LIMIT $3) AS copy
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(person_id ORDER BY person_id), '{}') AS people,
            coalesce(array_agg(counted ORDER BY person_id), '{}') AS counted
        FROM member_copy WHERE member_copy.household_id = copy.household_id) AS member
    ORDER BY copy.household_id
"""
_HOLDERS = """
    SELECT person_id, household_id FROM premium_subsidies
    WHERE year = $1 AND person_id = ANY ($2::uuid[])
"""
