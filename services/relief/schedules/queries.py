"""What is asked of the grants of any monthly programme: by its actions, by runs, by the APIs.

Each takes the programme's table first; a programme's ``queries`` bind it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.schedules.models import Grant
from services.relief.schedules.rules import Figure
from shared import parameter_values
from shared.asked import prefixes
from shared.db import among, driver_of, in_divisions
from shared.divisions import ancestors
from shared.money import yuan
from shared.parameter_values import Parameter

Table = type[Grant]
_MONEY = "yuan"
"""What the units of amounts begin with: they have two places, a ratio has its own."""


async def schedule_of(
    table: Table,
    session: AsyncSession,
    household_id: UUID,
    divisions: Sequence[str],
    *,
    superseded: bool,
) -> Sequence[RowMapping]:
    """One household's decisions by month, then by when they were taken."""
    mine = and_(table.household_id == household_id, in_divisions(table.division_code, divisions))
    rows = select(*_listed(table)).where(mine).order_by(table.from_month, table.decided_at)
    wanted = rows if superseded else rows.where(_live(table))
    return (await session.execute(wanted)).mappings().all()


async def grant_by_id(
    table: Table, session: AsyncSession, grant_id: UUID, divisions: Sequence[str]
) -> RowMapping | None:
    """One decision with its explanation, live or superseded."""
    mine = and_(table.grant_id == grant_id, in_divisions(table.division_code, divisions))
    rows = await session.execute(select(table.__table__).where(mine))
    return rows.mappings().one_or_none()


async def grants_of_month(
    table: Table,
    session: AsyncSession,
    month: date,
    within: Sequence[Sequence[str]],
    *,
    after: UUID | None,
    limit: int,
    reason: str | None = None,
) -> Sequence[RowMapping]:
    """The decisions that hold in ``month`` for the households with a claim, by household id.

    ``within`` are sets of prefixes that must all cover a row: what was asked for, what the caller
    may see. ``reason`` keeps those that rest on it.
    """
    held = held_in(table, month, within, after=after).subquery()
    rows = select(held).where(held.c.entitled).order_by(held.c.household_id).limit(limit)
    wanted = rows if reason is None else rows.where(held.c.reason == reason)
    return (await session.execute(wanted)).mappings().all()


async def figures_of_month(
    table: Table,
    session: AsyncSession,
    month: date,
    within: Sequence[Sequence[str]],
    counted: Mapping[str, str],
) -> RowMapping:
    """A division's month: households, above_zero, people, missing_standard and total_yuan.

    ``missing_standard`` counts the households whose amount waits; ``total_yuan`` and ``above_zero``
    leave them out. ``counted`` adds numbers by name: the households with the reason it names.
    """
    held = held_in(table, month, within).subquery()
    reasons = [
        func.count().filter(held.c.reason == reason).label(name) for name, reason in counted.items()
    ]
    figures = select(
        func.count().label("households"),
        func.count().filter(held.c.amount > 0).label("above_zero"),
        func.coalesce(func.sum(held.c.people), 0).label("people"),
        func.count().filter(held.c.amount.is_(None)).label("missing_standard"),
        func.coalesce(func.sum(held.c.amount), Decimal("0.00")).label("total_yuan"),
        *reasons,
    ).where(held.c.entitled)
    return (await session.execute(figures)).mappings().one()


async def due_grants(
    table: Table, session: AsyncSession, household_ids: Sequence[UUID], month: date, division: str
) -> Sequence[RowMapping]:
    """What ``division`` owes above zero in ``month`` to these households, by household id."""
    of_these = among(table.household_id, household_ids)
    held = held_in(table, month, (prefixes(division),), extra=of_these).subquery()
    rows = select(held).where(held.c.entitled, held.c.amount > 0).order_by(held.c.household_id)
    return (await session.execute(rows)).mappings().all()


async def live_grants(
    table: Table, session: AsyncSession, household_ids: Sequence[UUID]
) -> dict[UUID, list[Record]]:
    """The decisions that stand now, with their explanations, by household and month."""
    found: dict[UUID, list[Record]] = {}
    for row in await driver_of(session).fetch(_live_grants(table), household_ids):
        found.setdefault(row["household_id"], []).append(row)
    return found


async def households_with_grants(
    table: Table, session: AsyncSession, division: str, *, after: UUID | None, limit: int
) -> list[UUID]:
    """The next ``limit`` households of a division that have a schedule, by id."""
    rows = select(table.household_id).distinct().where(_living_in(table, division))
    if after is not None:
        rows = rows.where(table.household_id > after)
    ordered = rows.order_by(table.household_id).limit(limit)
    return list((await session.scalars(ordered)).all())


async def count_households_with_grants(table: Table, session: AsyncSession, division: str) -> int:
    """How many households of a division have a schedule."""
    counted = select(func.count(table.household_id.distinct())).where(_living_in(table, division))
    return (await session.scalars(counted)).one()


async def figures_over_time(
    session: AsyncSession, keys: Collection[str], division_codes: Collection[str]
) -> dict[str, dict[str, list[Figure]]]:
    """For each of these divisions, by key, the approved values that hold there one after another.

    In one statement, however many divisions and keys.
    """
    chains = {code: ancestors(code) for code in division_codes}
    scopes = {scope for chain in chains.values() for scope in chain}
    by_key: dict[str, list[Parameter]] = {key: [] for key in keys}
    for row in await parameter_values.approved(session, keys, scopes):
        by_key[row.key].append(row)
    return {
        code: {key: _holding(rows, chain) for key, rows in by_key.items()}
        for code, chain in chains.items()
    }


def _holding(rows: Iterable[Parameter], chain: tuple[str, ...]) -> list[Figure]:
    of_chain = (row for row in rows if row.division_code in chain)
    return [
        Figure(
            parameter_id=row.parameter_id,
            value=yuan(row.value) if row.unit.startswith(_MONEY) else row.value,
            valid_from=row.valid_from,
            document_number=row.document_number,
            division_code=row.division_code,
            sample=row.sample,
        )
        for row in parameter_values.holding(of_chain, chain)
    ]


def _live_grants(table: Table) -> str:
    return (
        f"SELECT * FROM {table.__tablename__}"  # noqa: S608 (own name)
        " WHERE superseded_at IS NULL AND household_id = ANY ($1) ORDER BY from_month"
    )


def _live(table: Table) -> ColumnElement[bool]:
    return table.superseded_at.is_(None)


def _living_in(table: Table, division: str) -> ColumnElement[bool]:
    return and_(_live(table), in_divisions(table.division_code, prefixes(division)))


def _listed(table: Table) -> list[Any]:
    """All columns but the explanation, which is read one by one."""
    return [column for column in table.__table__.columns if column.name != "explanation"]


def held_in(
    table: Table,
    month: date,
    within: Sequence[Sequence[str]],
    *,
    after: UUID | None = None,
    extra: ColumnElement[bool] | None = None,
) -> Select[*tuple[Any, ...]]:
    """Each household's last live decision that begins in or before ``month``."""
    conditions = [_live(table), table.from_month <= month]
    conditions.append(or_(table.until_month.is_(None), table.until_month > month))
    conditions += [in_divisions(table.division_code, covered) for covered in within]
    if after is not None:
        conditions.append(table.household_id > after)
    if extra is not None:
        conditions.append(extra)
    newest_first = (table.household_id, table.from_month.desc())
    rows = select(*_listed(table)).ext(distinct_on(table.household_id)).where(*conditions)
    return rows.order_by(*newest_first)
