"""What the end of a notice makes of its application, as notify tells it.

Unopposed, or every objection dismissed: the county's clock begins. An objection upheld: the survey
and the opinion again, and a new notice. Not posted after all: a notice must be asked for again.
Nothing is published; the same news twice changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import queries, steps
from services.registry.determination.deadlines import Clock
from services.registry.determination.models import Application
from services.registry.determination.process import ApplicationState
from services.registry.ledger import actions as ledger
from services.registry.notices.rules import NO_NOTICE, decidable_from
from services.registry.tasks.models import TaskKind
from shared import clock
from shared.auth import system_caller
from shared.contracts.notices import Notice, NoticeOutcome
from shared.db import among
from shared.workdays import Deadline

_SYSTEM = system_caller("registry")


async def follow_notices(session: AsyncSession, notices: Sequence[Notice]) -> None:
    """Take each application whose notice has closed to its next step."""
    await ledger.hold_households(session, [notice.household_id for notice in notices])
    ended = {notice.notice_request_id: notice for notice in notices}
    rows = await session.execute(
        select(Application.__table__)
        .where(among(Application.notice_request_id, list(ended)))
        .where(Application.state == ApplicationState.ON_NOTICE.value)
        .order_by(Application.application_id)
    )
    for row in rows.mappings().all():
        await _follow(session, row, ended[row["notice_request_id"]])


async def _follow(session: AsyncSession, row: RowMapping, notice: Notice) -> None:
    day = decidable_from(notice.last_day, notice.closed_on) or clock.today()
    if notice.outcome is NoticeOutcome.OBJECTION_UPHELD:
        await reopen(session, row, day)
    elif notice.outcome in NO_NOTICE:
        changed = {"state": ApplicationState.OPINION, "notice_request_id": None}
        await _store(session, row, changed, "notice_not_posted")
        await steps.open_tasks(session, row, {TaskKind.ANNOUNCEMENT: None})
    elif row["due_on"] is None:
        limit = await _due(session, row, Clock.DECISION, day)
        await _store(session, row, steps.due_columns(limit), "notice_ended")
        await steps.open_tasks(session, row, {TaskKind.DECISION: limit})


async def reopen(session: AsyncSession, row: Mapping[Any, Any], day: date) -> None:
    """Take a case up again from ``day`` on: another round, with the time of an objection."""
    again = dict(row) | {"round": row["round"] + 1}
    limit = await _due(session, again, Clock.OBJECTION, day)
    changed = {
        "state": ApplicationState.VERIFYING,
        "round": again["round"],
        "notice_request_id": None,
        "sampled": None,
        "ended_on": None,
    }
    await _store(session, row, changed | steps.due_columns(limit), "reopened")
    await steps.close_tasks(session, row["application_id"], steps.WAITING)
    await steps.open_tasks(session, row, {TaskKind.SURVEY: limit, TaskKind.OPINION: limit})


async def _due(
    session: AsyncSession, row: Mapping[Any, Any], which: Clock, day: date
) -> Deadline | None:
    case = queries.bare_case(row)
    return await queries.due(session, case, which, day, row["division_code"])


async def _store(
    session: AsyncSession, row: Mapping[Any, Any], changed: Mapping[str, Any], done: str
) -> None:
    application_id: UUID = row["application_id"]
    await session.execute(
        update(Application)
        .where(Application.application_id == application_id)
        .values(**changed, revision=row["revision"] + 1, recorded_at=clock.now())
    )
    await steps.note(session, _SYSTEM, row, done)
