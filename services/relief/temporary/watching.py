"""What a new day brings: papers that did not follow in time, and limits counted anew (R23, R29)."""

from datetime import date

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.temporary import queries
from services.relief.temporary.models import Application
from shared import audit, clock, workdays
from shared.auth import system_caller
from shared.db import among

CHUNK = 500
SYSTEM = system_caller("relief")


async def note_overdue_papers(session: AsyncSession, day: date) -> bool:
    """Note the next applications whose papers are late since this day; once each. A turn."""
    wanted = (
        select(Application.__table__)
        .where(queries.overdue(day), Application.papers_overdue_since.is_(None))
        .order_by(Application.application_id)
        .limit(CHUNK)
        .with_for_update()
    )
    rows = (await session.execute(wanted)).mappings().all()
    late = [row["application_id"] for row in rows]
    await session.execute(
        update(Application)
        .where(among(Application.application_id, late))
        .values(papers_overdue_since=day, recorded_at=clock.now())
    )
    await audit.record_rows(
        session,
        SYSTEM,
        rows,
        action="temporary_assistance.papers_overdue",
        subject_type="temporary_application",
        subject="application_id",
    )
    return len(rows) == CHUNK


async def recount_papers_due(session: AsyncSession, _day: date) -> bool:
    """Count a last day anew that reached into a year whose holidays are announced by now. A turn.

    The limit ran from the decision; the calendar knows what was counted by weekday (R29).
    """
    calendar = await workdays.load(session)
    wanted = (
        select(Application.__table__)
        .where(Application.papers_due_provisional, Application.papers_on.is_(None))
        .order_by(Application.application_id)
        .with_for_update()
    )
    for row in (await session.execute(wanted)).mappings().all():
        decision = (await queries.whole(session, row)).decision
        if decision is None or not calendar.knows(row["papers_due_on"]):
            continue
        due = calendar.recount(row["papers_due_on"], decision["decided_on"])
        theirs = Application.application_id == row["application_id"]
        await session.execute(
            update(Application)
            .where(theirs)
            .values(papers_due_on=due.on, papers_due_provisional=due.provisional)
        )
    return False
