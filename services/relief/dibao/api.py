"""How to ask what households are owed under dibao, and why."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao import queries
from services.relief.dibao.rules import Reason
from shared import api, audit, clock
from shared.asked import (
    AskedCursor,
    AskedDivision,
    AskedMonth,
    Month,
    after_id,
    page,
    prefixes,
)
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["dibao"])

Reader = Annotated[Caller, requires("relief.dibao:read")]


class GrantView(BaseModel):
    """What one household is owed a month, in yuan, from ``from_month`` until its next decision.

    ``amount`` is null while no line is approved; ``superseded_at`` says when another decision took
    this one's place; ``until_month`` is the first month that another county pays, where one does.
    """

    model_config = ConfigDict(from_attributes=True)

    grant_id: UUID
    household_id: UUID
    division_code: str
    from_month: Month
    until_month: Month | None
    amount: Decimal | None
    entitled: bool
    reason: Reason
    people: int
    household_version: int
    decided_at: datetime
    superseded_at: datetime | None


class ExplainedGrant(GrantView):
    """A grant with what it rests on: facts, line, document number, steps, and a Chinese text."""

    explanation: dict[str, Any]


class Schedule(BaseModel):
    """All decisions on one household, by month."""

    household_id: UUID
    items: list[GrantView]


class SummaryView(BaseModel):
    """A division's month. ``missing_standard`` households wait for a line and are in no total."""

    model_config = ConfigDict(from_attributes=True)

    month: Month
    division: str | None
    households: int
    above_zero: int
    people: int
    missing_standard: int
    total_yuan: Decimal


@routes.get("/households/{household_id}/grants", summary="A household's dibao, month by month")
async def household_grants(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    superseded: Annotated[bool, Query(description="with decisions since replaced")] = False,
) -> Schedule:
    """404 ``grants_unknown`` where there is none that the caller may see."""
    rows = await queries.schedule_of(session, household_id, caller.divisions, superseded=superseded)
    if not rows:
        raise NotFound("grants_unknown", f"no dibao decision on the household {household_id}")
    await _note_reading(session, caller, rows[:1])
    return Schedule(household_id=household_id, items=[GrantView.model_validate(r) for r in rows])


@routes.get("/grants/summary", summary="A division's month in figures")
async def summary(
    session: SessionDep,
    caller: Reader,
    division: AskedDivision = None,
    month: AskedMonth = None,
) -> SummaryView:
    asked = month or clock.next_month(clock.today())
    within = (caller.divisions, prefixes(division))
    found = await queries.summary_of_month(session, asked, within)
    return SummaryView(month=asked, division=division, **asdict(found))


@routes.get("/grants/{grant_id}", summary="One decision and its explanation")
async def grant(session: SessionDep, caller: Reader, grant_id: UUID) -> ExplainedGrant:
    """404 ``grant_unknown`` where there is none that the caller may see."""
    row = await queries.grant_by_id(session, grant_id, caller.divisions)
    if row is None:
        raise NotFound("grant_unknown", f"no dibao decision {grant_id}")
    await _note_reading(session, caller, [row])
    return ExplainedGrant.model_validate(row)


@routes.get("/grants", summary="Who is on dibao in a month")
async def grants(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    month: AskedMonth = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[GrantView]:
    """The decision that holds in the month, for each household on dibao; by household id."""
    rows = await queries.grants_of_month(
        session,
        month or clock.next_month(clock.today()),
        (caller.divisions, prefixes(division)),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await _note_reading(session, caller, rows[:limit])
    return page(rows, limit, "household_id", GrantView)


async def _note_reading(session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]) -> None:
    """What a household is paid is personal data: every look at it is written down."""
    await audit.record_rows(
        session, caller, rows, action="dibao.read", subject_type="household", subject="household_id"
    )
