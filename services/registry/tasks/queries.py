"""The board as it is asked for, and the time limits that counties have set."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.tasks import rules
from services.registry.tasks.models import Task, TaskKind
from shared import parameters, workdays
from shared.db import in_divisions
from shared.workdays import Deadline

_COUNTY = len("331124")
_DUE = func.coalesce(Task.due_on, rules.LATEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tasks: in these divisions, of a kind, open or closed, due by a day."""

    within: Sequence[str]
    kind: TaskKind | None = None
    is_open: bool | None = None
    due_by: date | None = None
    household_id: UUID | None = None


async def page(
    session: AsyncSession,
    wanted: Wanted,
    *,
    divisions: Sequence[str],
    after: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Tasks, the one due first first, those without a day last, after one; with ``sort_day``."""
    query = (
        select(Task.__table__, _DUE.label("sort_day"))
        .where(*_conditions(wanted, divisions))
        .order_by(_DUE, Task.task_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(_DUE, Task.task_id) > tuple_(*map(literal, after)))
    return (await session.execute(query)).mappings().all()


async def counts(
    session: AsyncSession, wanted: Wanted, *, divisions: Sequence[str], today: date
) -> Sequence[RowMapping]:
    """How many of each kind are ``open`` and how many of them ``overdue``."""
    late = func.count().filter(Task.due_on < today)
    rows = await session.execute(
        select(Task.kind, func.count().label("open"), late.label("overdue"))
        .where(*_conditions(wanted, divisions), Task.closed_on.is_(None))
        .group_by(Task.kind)
        .order_by(Task.kind)
    )
    return rows.mappings().all()


async def deadlines(
    session: AsyncSession, key: str, division_codes: Collection[str], from_day: date
) -> Mapping[str, Deadline | None]:
    """When a limit of parameter ``key`` (working days) ends, by division code.

    None where the county, or what it belongs to, has no approved limit on ``from_day``.
    """
    counties = {code[:_COUNTY] for code in division_codes}
    calendar = await workdays.load(session)
    found: dict[str, Deadline | None] = {}
    for county in sorted(counties):
        value = await parameters.value_at(session, key, county, from_day)
        found[county] = rules.due(calendar, from_day, value.value if value else None)
    return {code: found[code[:_COUNTY]] for code in division_codes}


def _conditions(wanted: Wanted, divisions: Sequence[str]) -> list[ColumnElement[bool]]:
    asked = [
        in_divisions(Task.division_code, divisions),
        in_divisions(Task.division_code, wanted.within),
    ]
    if wanted.kind is not None:
        asked.append(Task.kind == wanted.kind.value)
    if wanted.is_open is not None:
        closed = Task.closed_on.is_not(None)
        asked.append(~closed if wanted.is_open else closed)
    if wanted.due_by is not None:
        asked.append(and_(Task.due_on.is_not(None), Task.due_on <= wanted.due_by))
    if wanted.household_id is not None:
        asked.append(Task.household_id == wanted.household_id)
    return asked
