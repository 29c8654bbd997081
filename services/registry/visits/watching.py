"""Visits that fall due go on the board; who is no longer to be visited comes off it.

The households capability calls ``rewatch`` within a change itself, so nothing of its writers is
imported here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.helpers.fitting import Refit
from services.registry.households import records
from services.registry.tasks import actions as tasks
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from services.registry.visits import queries
from services.registry.visits.queries import Due
from services.registry.visits.rules import VisitKind, kind_of
from shared.contracts.registry import State
from shared.db import EVERYWHERE
from shared.workdays import Deadline

TASKS: Mapping[VisitKind, TaskKind] = {
    VisitKind.HELPER: TaskKind.HELPER_VISIT,
    VisitKind.TRACKING: TaskKind.TRACKING_VISIT,
}
CHUNK = 1_000
"""Households at a time."""


async def ask_visits(session: AsyncSession, day: date) -> bool:
    """A turn of the day: put each visit due by now on the board, one a household however late."""
    wanted = Due(within=(EVERYWHERE,), by=day, after=None, limit=CHUNK, untasked=True)
    seen = [row["household_id"] for row in await queries.due(session, wanted)]
    # Held and looked at again: one visited, lifted or moved at this moment would keep a task.
    await records.hold(session, seen)
    rows = await queries.due(session, replace(wanted, among=seen)) if seen else []
    openings = [
        Opening(
            kind=TASKS[kind],
            subject_id=row["household_id"],
            household_id=row["household_id"],
            division_code=row["division_code"],
            due=Deadline(row["due_on"]),
        )
        for row in rows
        if (kind := kind_of(State(row["state"]))) is not None
    ]
    await tasks.open_tasks(session, openings)
    return len(seen) == CHUNK


async def rewatch(session: AsyncSession, changes: Sequence[Refit]) -> None:
    """A household whose state changed waits for no visit of its earlier state any more."""
    for each in changes:
        kind = kind_of(each.old.state)
        if kind is not None and kind is not kind_of(each.new.state):
            await tasks.close_task(session, kind=TASKS[kind], subject_id=each.household_id)
