"""How to ask what tekun households are owed, and why."""

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

from services.relief.tekun import queries
from services.relief.tekun.rules import Payee, Reason
from shared import api, audit, clock
from shared.asked import AskedCursor, AskedDivision, AskedMonth, Month, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["tekun"])

Reader = Annotated[Caller, requires("relief.tekun:read")]


class TekunGrantView(BaseModel):
    """What one household is owed a month, in yuan, from ``from_month`` until its next decision.

    ``amount`` is null while a standard is missing; ``payee`` says to whom it is paid, and
    ``institution_id`` to which institution; ``until_month`` is the first month that another county
    pays; ``superseded_at`` says when another decision took this one's place.
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
    payee: Payee
    institution_id: UUID | None
    household_version: int
    decided_at: datetime
    superseded_at: datetime | None


class ExplainedTekunGrant(TekunGrantView):
    """A grant with what it rests on: facts, people, figures and papers, steps, a Chinese text."""

    explanation: dict[str, Any]


class TekunSchedule(BaseModel):
    """All decisions on one household, by month."""

    household_id: UUID
    items: list[TekunGrantView]


class TekunSummary(BaseModel):
    """A division's month. ``missing_standard`` households wait for a figure and are in no total;
    ``assessment_missing`` ones get the basic part alone.
    """

    model_config = ConfigDict(from_attributes=True)

    month: Month
    division: str | None
    households: int
    above_zero: int
    people: int
    missing_standard: int
    assessment_missing: int
    total_yuan: Decimal


@routes.get(
    "/households/{household_id}/tekun-grants", summary="A household's tekun support by month"
)
async def household_grants(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    superseded: Annotated[bool, Query(description="with decisions since replaced")] = False,
) -> TekunSchedule:
    """404 ``grants_unknown`` where there is none that the caller may see."""
    rows = await queries.schedule_of(session, household_id, caller.divisions, superseded=superseded)
    if not rows:
        raise NotFound("grants_unknown", f"no tekun decision on the household {household_id}")
    await note_reading(session, caller, rows[:1])
    items = [TekunGrantView.model_validate(row) for row in rows]
    return TekunSchedule(household_id=household_id, items=items)


@routes.get("/tekun-grants/summary", summary="A division's month in figures")
async def summary(
    session: SessionDep,
    caller: Reader,
    division: AskedDivision = None,
    month: AskedMonth = None,
) -> TekunSummary:
    asked = month or clock.next_month(clock.today())
    within = (caller.divisions, prefixes(division))
    found = await queries.summary_of_month(session, asked, within)
    return TekunSummary(month=asked, division=division, **asdict(found))


@routes.get("/tekun-grants/{grant_id}", summary="One decision and its explanation")
async def grant(session: SessionDep, caller: Reader, grant_id: UUID) -> ExplainedTekunGrant:
    """404 ``grant_unknown`` where there is none that the caller may see."""
    row = await queries.grant_by_id(session, grant_id, caller.divisions)
    if row is None:
        raise NotFound("grant_unknown", f"no tekun decision {grant_id}")
    await note_reading(session, caller, [row])
    return ExplainedTekunGrant.model_validate(row)


@routes.get("/tekun-grants", summary="Who is supported as tekun in a month")
async def grants(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    month: AskedMonth = None,
    reason: Annotated[Reason | None, Query(description="as assessment_missing")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[TekunGrantView]:
    """The decision that holds in the month, for each tekun household; by household id."""
    rows = await queries.grants_of_month(
        session,
        month or clock.next_month(clock.today()),
        (caller.divisions, prefixes(division)),
        after=after_id(cursor),
        limit=limit + 1,
        reason=None if reason is None else reason.value,
    )
    await note_reading(session, caller, rows[:limit])
    return page(rows, limit, "household_id", TekunGrantView)


async def note_reading(
    session: AsyncSession, caller: Caller, rows: Sequence[RowMapping | dict[str, Any]]
) -> None:
    """How a person is supported is personal data: every look at it is written down."""
    await audit.record_rows(
        session, caller, rows, action="tekun.read", subject_type="household", subject="household_id"
    )
