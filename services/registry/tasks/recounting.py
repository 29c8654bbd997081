"""Time limits that reached into a year without an announced calendar, once that year is loaded.

The State Council announces a year's holidays in the autumn before it; a limit that ends later was
counted by weekday and marked provisional (R29).
"""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import workdays

_TABLES = ("tasks", "return_checks", "leads", "verification_doubts", "applications")
"""Whatever stores ``due_on`` with ``due_provisional``; a new capability adds its own."""


async def recount_provisional(session: AsyncSession, _day: date) -> bool:
    """A turn of the day: count each provisional last day anew whose year is known by now."""
    calendar = await workdays.load(session)
    for table in _TABLES:
        days = await session.scalars(text(_KNOWN_BY_NOW.format(table=table)))
        recounted = {day: calendar.recount(day) for day in days}
        if recounted:
            given = {
                "days": list(recounted),
                "due": [each.on for each in recounted.values()],
                "provisional": [each.provisional for each in recounted.values()],
            }
            await session.execute(text(_RECOUNT.format(table=table)), given)
    return False


_KNOWN_BY_NOW = """
    SELECT DISTINCT due_on FROM {table} JOIN working_days ON working_days.day = due_on
    WHERE due_provisional
"""
_RECOUNT = """
    UPDATE {table} SET due_on = given.due, due_provisional = given.provisional
    FROM unnest(CAST(:days AS date[]), CAST(:due AS date[]), CAST(:provisional AS boolean[]))
        AS given(day, due, provisional)
    WHERE {table}.due_provisional AND {table}.due_on = given.day
"""
