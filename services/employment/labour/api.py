"""How to ask who can work, who does, and which households have nobody at work (C44, C45)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.jobs import queries as placements
from services.employment.labour import queries
from services.employment.labour.rules import Status
from services.employment.labour.views import (
    CaseView,
    HouseholdEmploymentView,
    ProfileView,
    SummaryView,
    WholeProfileView,
    case_view,
    household_view,
    profile_view,
    whole_profile,
)
from shared import api, audit, clock
from shared.asked import AskedCursor, AskedDivision, after_id, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["labour"])

Reader = Annotated[Caller, requires("employment.labour:read")]


@routes.get("/labour-profiles", summary="Labour profiles by division, status or household")
async def labour_profiles(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    status: Status | None = None,
    household: UUID | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[ProfileView]:
    """By person id; resting profiles are in it."""
    rows = await queries.profiles(
        session,
        queries.ProfileFilter(status=status, household_id=household),
        (caller.divisions, prefixes(division)),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await _note_people(session, caller, rows[:limit])
    more = api.encode_cursor([rows[limit - 1]["person_id"]]) if len(rows) > limit else None
    return api.Page(items=[profile_view(row) for row in rows[:limit]], next_cursor=more)


@routes.get("/labour-profiles/summary", summary="A division's labour in figures, today")
async def summary(
    session: SessionDep, caller: Reader, division: AskedDivision = None
) -> SummaryView:
    within = (caller.divisions, prefixes(division))
    found = await queries.summary(session, within, today=clock.today())
    return SummaryView(division=division, **asdict(found))


@routes.get("/labour-profiles/{person_id}", summary="One profile, its placements and its grounds")
async def labour_profile(session: SessionDep, caller: Reader, person_id: UUID) -> WholeProfileView:
    """404 ``labour_profile_unknown`` where there is none that the caller may see."""
    row = await queries.profile_of(session, person_id, caller.divisions)
    if row is None:
        raise NotFound("labour_profile_unknown", f"no labour profile of the person {person_id}")
    await _note_people(session, caller, [row])
    jobs = await placements.placements_of_person(session, person_id, caller.divisions)
    return whole_profile(row, jobs)


@routes.get("/zero-employment", summary="Zero-employment cases, open and closed")
async def zero_employment(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    open: bool | None = None,  # noqa: A002 (the query parameter's name)
    overdue: Annotated[bool | None, Query(description="open past the day for an offer")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[CaseView]:
    """By case id, which ascends with time."""
    rows = await queries.cases(
        session,
        queries.CaseFilter(open=open, overdue=overdue),
        (caller.divisions, prefixes(division)),
        today=clock.today(),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await _note_households(session, caller, rows[:limit])
    more = api.encode_cursor([rows[limit - 1]["case_id"]]) if len(rows) > limit else None
    return api.Page(items=[case_view(row, clock.today()) for row in rows[:limit]], next_cursor=more)


@routes.get("/households/{household_id}/employment", summary="A household's work, and why")
async def household_employment(
    session: SessionDep, caller: Reader, household_id: UUID
) -> HouseholdEmploymentView:
    """404 ``employment_unknown`` where there is none that the caller may see."""
    row = await queries.household(session, household_id, caller.divisions)
    if row is None:
        raise NotFound("employment_unknown", f"nothing is known of the household {household_id}")
    await _note_households(session, caller, [row])
    profiles = await queries.profiles_of_household(session, household_id, caller.divisions)
    cases = await queries.cases_of_household(session, household_id, caller.divisions)
    return household_view(row, profiles, cases, clock.today())


async def _note_people(session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]) -> None:
    """Whether somebody can and wants to work is personal data: every look is written down."""
    await audit.record_rows(
        session,
        caller,
        rows,
        action="labour_profile.read",
        subject_type="person",
        subject="person_id",
    )


async def _note_households(
    session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]
) -> None:
    await audit.record_rows(
        session,
        caller,
        rows,
        action="labour.read",
        subject_type="household",
        subject="household_id",
    )
