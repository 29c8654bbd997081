"""How the board is asked for (C5): what is open, what is late, by division and kind."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from services.registry.tasks import queries, rules
from services.registry.tasks.models import TaskKind
from services.registry.tasks.queries import Wanted
from shared import api, clock
from shared.asked import AskedCursor, AskedDivision, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/tasks", tags=["tasks"])
Reader = Annotated[Caller, requires("registry.tasks:read")]


class TaskOut(BaseModel):
    """A task; its ``subject_id`` is what the routes of the capability named by ``kind`` take."""

    task_id: UUID
    kind: TaskKind
    subject_id: UUID
    household_id: UUID | None
    division_code: str
    opened_on: date
    due_on: date | None
    due_provisional: bool
    closed_on: date | None
    overdue: bool


class KindCount(BaseModel):
    """The open tasks of one kind."""

    kind: TaskKind
    open: int
    overdue: int


@routes.get("", summary="What waits to be done, the soonest due first")
async def list_tasks(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    kind: TaskKind | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    due_by: date | None = None,
    household_id: UUID | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[TaskOut]:
    wanted = Wanted(
        within=prefixes(division),
        kind=kind,
        is_open=is_open,
        due_by=due_by,
        household_id=household_id,
    )
    after = api.decode_cursor(cursor, date, UUID) if cursor else None
    rows = await queries.page(
        session, wanted, divisions=caller.divisions, after=after, limit=limit + 1
    )
    shown, today = rows[:limit], clock.today()
    last = [shown[-1]["sort_day"], shown[-1]["task_id"]] if len(rows) > limit else None
    return api.Page(
        items=[
            TaskOut(
                **{name: row[name] for name in TaskOut.model_fields if name != "overdue"},
                overdue=row["closed_on"] is None and rules.overdue(row["due_on"], today=today),
            )
            for row in shown
        ],
        next_cursor=api.encode_cursor(last) if last else None,
    )


@routes.get("/counts", summary="How many tasks are open and how many late, by kind")
async def count_tasks(
    session: SessionDep, caller: Reader, *, division: AskedDivision = None
) -> list[KindCount]:
    rows = await queries.counts(
        session,
        Wanted(within=prefixes(division)),
        divisions=caller.divisions,
        today=clock.today(),
    )
    return [KindCount.model_validate(dict(row)) for row in rows]
