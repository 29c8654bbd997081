"""Time limits that reached into a year without an announced calendar, once that year is loaded.

The State Council announces a year's holidays in the autumn before it; a limit that ends later was
counted by weekday and marked provisional (R29).
"""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import workdays

_BEGAN = {
    "tasks": "coalesce((SELECT accepted_on FROM applications WHERE application_id = subject_id "
    "AND round = 1 AND kind IN ('survey', 'opinion')), opened_on)",
    "return_checks": "opened_on",
    "leads": "opened_on",
    "verification_doubts": "opened_on",
    "applications": "coalesce(CASE WHEN round = 1 AND state IN ('accepted', 'verifying') "
    "THEN accepted_on END, (SELECT max(opened_on) FROM tasks WHERE subject_id = application_id "
    "AND closed_on IS NULL), accepted_on, applied_on)",
}
"""Whatever stores ``due_on`` with ``due_provisional``, and when the limit was set off."""


async def recount_provisional(session: AsyncSession, _day: date) -> bool:
    """A turn of the day: count each provisional last day anew whose year is known by now."""
    calendar = await workdays.load(session)
    for table, began in _BEGAN.items():
        known = {"table": table, "began": began}
        rows = (await session.execute(text(_KNOWN_BY_NOW.format(**known)))).all()
        if rows:
            recounted = [calendar.recount(row.due_on, row.since) for row in rows]
            given = {
                "days": [row.due_on for row in rows],
                "since": [row.since for row in rows],
                "due": [each.on for each in recounted],
                "provisional": [each.provisional for each in recounted],
            }
            await session.execute(text(_RECOUNT.format(**known)), given)
    return False


_KNOWN_BY_NOW = """
    SELECT DISTINCT due_on, {began} AS since FROM {table}
    JOIN working_days ON working_days.day = due_on WHERE due_provisional
"""
_RECOUNT = """
    UPDATE {table} SET due_on = given.due, due_provisional = given.provisional
    FROM unnest(CAST(:days AS date[]), CAST(:since AS date[]), CAST(:due AS date[]),
        CAST(:provisional AS boolean[])) AS given(day, since, due, provisional)
    WHERE {table}.due_provisional AND {table}.due_on = given.day AND {began} = given.since
"""
