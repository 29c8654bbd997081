"""What is asked of dibao grants: by its actions, by the payment run and by the API."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao.models import Grant
from services.relief.dibao.rules import Line
from services.relief.standards.rules import DIBAO_LINE
from shared import parameter_values
from shared.asked import prefixes
from shared.db import among, driver_of, in_divisions
from shared.divisions import ancestors
from shared.money import yuan
from shared.parameter_values import Parameter

LIVE = Grant.superseded_at.is_(None)
LISTED = (
    Grant.grant_id,
    Grant.household_id,
    Grant.division_code,
    Grant.from_month,
    Grant.until_month,
    Grant.amount,
    Grant.entitled,
    Grant.reason,
    Grant.people,
    Grant.household_version,
    Grant.decided_at,
    Grant.superseded_at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A division's month: how many households and people are on dibao, and what it comes to.

    ``missing_standard`` counts the households whose amount waits for a line; ``total_yuan`` and
    ``above_zero`` leave them out, ``households`` and ``people`` do not.
    """

    households: int
    above_zero: int
    people: int
    missing_standard: int
    total_yuan: Decimal


async def schedule_of(
    session: AsyncSession, household_id: UUID, divisions: Sequence[str], *, superseded: bool
) -> Sequence[RowMapping]:
    """One household's decisions by month, then by when they were taken."""
    mine = and_(Grant.household_id == household_id, in_divisions(Grant.division_code, divisions))
    rows = select(*LISTED).where(mine).order_by(Grant.from_month, Grant.decided_at)
    return (await session.execute(rows if superseded else rows.where(LIVE))).mappings().all()


async def grant_by_id(
    session: AsyncSession, grant_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One decision with its explanation, live or superseded."""
    mine = and_(Grant.grant_id == grant_id, in_divisions(Grant.division_code, divisions))
    rows = await session.execute(select(*LISTED, Grant.explanation).where(mine))
    return rows.mappings().one_or_none()


async def grants_of_month(
    session: AsyncSession,
    month: date,
    within: Sequence[Sequence[str]],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """The decisions that hold in ``month`` for the households on dibao, by household id.

    ``within`` are sets of prefixes that must all cover a row: what was asked for, what the caller
    may see.
    """
    held = _held_in(month, within, after=after).subquery()
    rows = select(held).where(held.c.entitled).order_by(held.c.household_id).limit(limit)
    return (await session.execute(rows)).mappings().all()


async def summary_of_month(
    session: AsyncSession, month: date, within: Sequence[Sequence[str]]
) -> Summary:
    """The figures of a division's month."""
    held = _held_in(month, within).subquery()
    figures = select(
        func.count().label("households"),
        func.count().filter(held.c.amount > 0).label("above_zero"),
        func.coalesce(func.sum(held.c.people), 0).label("people"),
        func.count().filter(held.c.amount.is_(None)).label("missing_standard"),
        func.coalesce(func.sum(held.c.amount), Decimal("0.00")).label("total_yuan"),
    ).where(held.c.entitled)
    return Summary(**(await session.execute(figures)).mappings().one())


async def due_grants(
    session: AsyncSession, household_ids: Sequence[UUID], month: date, division: str
) -> Sequence[RowMapping]:
    """What ``division`` owes above zero in ``month`` to these households, by household id."""
    of_these = among(Grant.household_id, household_ids)
    held = _held_in(month, (prefixes(division),), extra=of_these).subquery()
    rows = select(held).where(held.c.entitled, held.c.amount > 0).order_by(held.c.household_id)
    return (await session.execute(rows)).mappings().all()


async def live_grants(
    session: AsyncSession, household_ids: Sequence[UUID]
) -> dict[UUID, list[Record]]:
    """The decisions that stand now, with their explanations, by household and month."""
    found: dict[UUID, list[Record]] = {}
    for row in await driver_of(session).fetch(_LIVE_GRANTS, household_ids):
        found.setdefault(row["household_id"], []).append(row)
    return found


async def lines_over_time(
    session: AsyncSession, division_codes: Collection[str]
) -> dict[str, list[Line]]:
    """For each of these divisions the approved lines that hold there one after the other."""
    chains = {code: ancestors(code) for code in division_codes}
    scopes = {scope for chain in chains.values() for scope in chain}
    approved = await parameter_values.approved(session, (DIBAO_LINE,), scopes)
    return {
        code: [
            _line(row)
            for row in parameter_values.holding(
                (row for row in approved if row.division_code in chain), chain
            )
        ]
        for code, chain in chains.items()
    }


def _line(row: Parameter) -> Line:
    return Line(
        parameter_id=row.parameter_id,
        value=yuan(row.value),
        valid_from=row.valid_from,
        document_number=row.document_number,
        division_code=row.division_code,
        sample=row.sample,
    )


_LIVE_GRANTS = """
    SELECT * FROM dibao_grants WHERE superseded_at IS NULL AND household_id = ANY ($1)
    ORDER BY from_month
"""


async def households_with_grants(
    session: AsyncSession, division: str, *, after: UUID | None, limit: int
) -> list[UUID]:
    """The next ``limit`` households of a division that have a dibao schedule, by id."""
    rows = select(Grant.household_id).distinct().where(_living_in(division))
    if after is not None:
        rows = rows.where(Grant.household_id > after)
    ordered = rows.order_by(Grant.household_id).limit(limit)
    return list((await session.scalars(ordered)).all())


async def count_households_with_grants(session: AsyncSession, division: str) -> int:
    """How many households of a division have a dibao schedule."""
    counted = select(func.count(Grant.household_id.distinct())).where(_living_in(division))
    return (await session.scalars(counted)).one()


def _living_in(division: str) -> ColumnElement[bool]:
    return and_(LIVE, in_divisions(Grant.division_code, prefixes(division)))


def _held_in(
    month: date,
    within: Sequence[Sequence[str]],
    *,
    after: UUID | None = None,
    extra: ColumnElement[bool] | None = None,
) -> Select[*tuple[Any, ...]]:
    """Each household's last live decision that begins in or before ``month``."""
    conditions = [LIVE, Grant.from_month <= month]
    conditions.append(or_(Grant.until_month.is_(None), Grant.until_month > month))
    conditions += [in_divisions(Grant.division_code, covered) for covered in within]
    if after is not None:
        conditions.append(Grant.household_id > after)
    if extra is not None:
        conditions.append(extra)
    newest_first = (Grant.household_id, Grant.from_month.desc())
    rows = select(*LISTED).ext(distinct_on(Grant.household_id)).where(*conditions)
    return rows.order_by(*newest_first)
