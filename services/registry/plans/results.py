"""The board asks once a year what every plan came to."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.households import records
from services.registry.plans.rules import RESULT_MONTH
from services.registry.tasks import actions as tasks
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from shared import clock, parameters
from shared.workdays import Deadline

CHUNK = 1_000
"""Households at a time."""
_COUNTY = len("331124")


async def ask_results(session: AsyncSession, day: date) -> bool:
    """A turn of the day: the result of the year before, of each household whose plan ran then."""
    given = {"year": day.year - 1, "most": CHUNK}
    seen = (await session.execute(_WITHOUT, given | {"among": None})).all()
    ids = [row.household_id for row in seen]
    # Held, as whoever enters a result holds it, and looked at again.
    await records.hold(session, ids)
    found = (await session.execute(_WITHOUT, given | {"among": ids})).all()
    months = {
        county: await parameters.value_at(session, RESULT_MONTH, county, day)
        for county in {row.division_code[:_COUNTY] for row in found}
    }
    openings = []
    for row in found:
        month = months[row.division_code[:_COUNTY]]
        due = Deadline(_last_day(day.year, int(month.value))) if month else None
        openings.append(
            Opening(
                kind=TaskKind.PLAN_RESULT,
                subject_id=row.household_id,
                household_id=row.household_id,
                division_code=row.division_code,
                due=due,
            )
        )
    await tasks.open_tasks(session, openings)
    return len(seen) == CHUNK


def _last_day(year: int, month: int) -> date:
    return date.fromordinal(clock.next_month(date(year, month, 1)).toordinal() - 1)


_WITHOUT = text(
    """
    SELECT plan.household_id, plan.division_code FROM plans AS plan
    WHERE plan.state = 'in_force' AND EXISTS (
        SELECT FROM plans AS earlier WHERE earlier.household_id = plan.household_id
            AND earlier.approved_on < make_date(CAST(:year AS integer) + 1, 1, 1)
            AND (earlier.ended_on IS NULL
                OR earlier.ended_on >= make_date(CAST(:year AS integer), 1, 1)))
    AND (CAST(:among AS uuid[]) IS NULL OR plan.household_id = ANY(CAST(:among AS uuid[])))
    AND NOT EXISTS (
        SELECT FROM plan_results AS result
        WHERE result.household_id = plan.household_id AND result.year = CAST(:year AS integer))
    AND NOT EXISTS (
        SELECT FROM tasks WHERE tasks.kind = 'plan_result'
            AND tasks.subject_id = plan.household_id AND tasks.closed_on IS NULL)
    ORDER BY plan.household_id LIMIT :most
    """
)
