"""Keeping the day of each household's next review, and putting what is due on the board (R28).

The households capability calls ``rewatch`` within a change itself, so nothing of its writers is
imported here. What a roster brought in is dated by the turn of the day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.helpers.fitting import Refit
from services.registry.households import records
from services.registry.households.facts import Facts
from services.registry.means.review import Kind, cycle_key, due_after, kind_on_file
from services.registry.reviews import queries
from services.registry.reviews.models import ReviewDate
from services.registry.reviews.rules import NOTICE_DAYS
from services.registry.tasks import actions as tasks
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from shared import parameters
from shared.contracts.registry import RuleSet, State
from shared.workdays import Deadline

CHUNK = 500
"""Households at a time."""
_COUNTY = len("331124")
_ON_ASSISTANCE = [state.value for state in State if state.on_assistance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """A household whose next review is counted from a day on."""

    household_id: UUID
    facts: Facts
    from_on: date


async def rewatch(session: AsyncSession, changes: Sequence[Refit]) -> None:
    """Date whoever comes on assistance or becomes another kind; forget whoever leaves."""
    for each in changes:
        if not each.new.state.on_assistance:
            if each.old.state.on_assistance:
                await _forget(session, each.household_id)
        elif not each.old.state.on_assistance:
            await _date_anew(session, each)
        elif _another_cycle(each):
            await _redate(session, each)


def _another_cycle(change: Refit) -> bool:
    """Whether the household has become another kind, or another county's."""
    old, new = change.old, change.new
    if old.division_code[:_COUNTY] != new.division_code[:_COUNTY]:
        return True
    return kind_on_file(old, change.day) is not kind_on_file(new, change.day)


async def date_reviews(session: AsyncSession, households: Iterable[Dated], day: date) -> None:
    """Store the day of the next review of each; a county without that cycle has none."""
    months: dict[tuple[str, Kind], Decimal | None] = {}
    rows = []
    for each in households:
        kind = kind_on_file(each.facts, day)
        place = each.facts.division_code
        known = (place[:_COUNTY], kind)
        if known not in months:
            value = await parameters.value_at(session, cycle_key(kind), place, day)
            months[known] = value.value if value else None
        rows.append(_row(each, kind, months[known], day))
    if rows:
        order = insert(ReviewDate).values(rows)
        changed = {name: order.excluded[name] for name in rows[0] if name != "household_id"}
        await session.execute(
            order.on_conflict_do_update(index_elements=["household_id"], set_=changed)
        )
        due = {row["household_id"]: row["due_on"] for row in rows}
        await tasks.move_tasks(session, kind=TaskKind.REVIEW, due=due)


def _row(one: Dated, kind: Kind, months: Decimal | None, day: date) -> dict[str, Any]:
    due = due_after(kind, RuleSet.on(day), months, one.from_on) if months else None
    return {
        "household_id": one.household_id,
        "division_code": one.facts.division_code,
        "kind": kind.value,
        "from_on": one.from_on,
        "due_on": due,
        "reckoned_on": day,
    }


async def _date_anew(session: AsyncSession, change: Refit) -> None:
    """Count from the last review of the stay, for an undone merger brings a stay back."""
    began = change.new.episodes[-1].identified_on
    last = await queries.last_reviewed(session, change.household_id, began)
    one = Dated(household_id=change.household_id, facts=change.new, from_on=last or began)
    await date_reviews(session, [one], change.day)


async def _redate(session: AsyncSession, change: Refit) -> None:
    from_on = await session.scalar(
        text("SELECT from_on FROM review_dates WHERE household_id = :id FOR UPDATE"),
        {"id": change.household_id},
    )
    if from_on is not None:
        one = Dated(household_id=change.household_id, facts=change.new, from_on=from_on)
        await date_reviews(session, [one], change.day)


async def _forget(session: AsyncSession, household_id: UUID) -> None:
    await session.execute(delete(ReviewDate).where(ReviewDate.household_id == household_id))
    await tasks.close_task(session, kind=TaskKind.REVIEW, subject_id=household_id)


async def date_undated(session: AsyncSession, day: date) -> bool:
    """A turn of the day: date what a roster brought in, and what waits for a county's cycle.

    Once a month everybody's day is reckoned again: people grow up without any change of the file,
    and a county may change its cycle.
    """
    given = {"states": _ON_ASSISTANCE, "day": day, "month": day.replace(day=1)}
    seen = (await session.execute(_UNDATED, given | {"among": None})).all()
    ids = [row.household_id for row in seen]
    # Held and looked at again: a review entered at this moment would be dated from the one before.
    await records.hold(session, ids)
    rows = (await session.execute(_UNDATED, given | {"among": ids})).all()
    timelines = await records.load_timelines(session, [row.household_id for row in rows])
    await date_reviews(
        session,
        [
            Dated(
                household_id=row.household_id,
                facts=timelines[row.household_id][-1].facts,
                from_on=row.from_on,
            )
            for row in rows
        ],
        day,
    )
    return len(seen) == CHUNK


async def ask_reviews(session: AsyncSession, day: date) -> bool:
    """A turn of the day: put each review on the board that is due within the county's days."""
    counties = await session.scalars(text("SELECT code FROM divisions WHERE level = 'county'"))
    by: dict[str, date] = {}
    for county in counties:
        value = await parameters.value_at(session, NOTICE_DAYS, county, day)
        by[county] = day + timedelta(days=int(value.value) if value else 0)
    given = {"counties": list(by), "by": list(by.values())}
    rows = (await session.execute(_DUE, given)).all()
    await tasks.open_tasks(
        session,
        [
            Opening(
                kind=TaskKind.REVIEW,
                subject_id=row.household_id,
                household_id=row.household_id,
                division_code=row.division_code,
                due=Deadline(row.due_on),
            )
            for row in rows
        ],
    )
    return len(rows) == CHUNK


# Held: one that leaves at this moment would get its date, or its task, after it was taken away.
_UNDATED = text(
    f"""
    SELECT h.household_id, coalesce(known.from_on, (
        SELECT identified_on FROM episodes WHERE household_id = h.household_id
        ORDER BY number DESC LIMIT 1)) AS from_on
    FROM households AS h LEFT JOIN review_dates AS known USING (household_id)
    WHERE h.state = ANY(:states) AND (known.household_id IS NULL
        OR known.reckoned_on < CAST(:month AS date)
        OR known.due_on IS NULL AND known.reckoned_on < CAST(:day AS date))
        AND (CAST(:among AS uuid[]) IS NULL OR h.household_id = ANY(CAST(:among AS uuid[])))
    ORDER BY h.household_id LIMIT {CHUNK}
    """  # noqa: S608 (own constant)
)
_DUE = text(
    f"""
    SELECT known.household_id, known.division_code, known.due_on
    FROM review_dates AS known
    JOIN unnest(CAST(:counties AS text[]), CAST(:by AS date[])) AS asked(county, day)
        ON asked.county = left(known.division_code, 6) AND known.due_on <= asked.day
    WHERE NOT EXISTS (SELECT FROM tasks WHERE tasks.kind = 'review'
        AND tasks.subject_id = known.household_id AND tasks.closed_on IS NULL)
    ORDER BY known.household_id LIMIT {CHUNK} FOR SHARE OF known
    """  # noqa: S608 (own constant)
)
