"""How visits are entered and read, and what is due or late (C23, C53)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from services.registry.households import sealed, views
from services.registry.returns.rules import ReportedKind
from services.registry.visits import actions, queries, rules
from services.registry.visits.queries import Due
from services.registry.visits.rules import SeenSign, Visit, VisitKind
from shared import api, audit, clock
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes, within
from shared.auth import Caller, requires
from shared.contracts.registry import State
from shared.db import SessionDep

household_routes = api.router("/v1/households/{household_id}", tags=["visits"])
routes = api.router("/v1/visits", tags=["visits"])
Reader = Annotated[Caller, requires("registry.visits:read")]
Writer = Annotated[Caller, requires("registry.visits:write")]
Degrees = Annotated[Decimal, Field(max_digits=8, decimal_places=5)]


class SignIn(BaseModel):
    """A sign of hardship that was seen; ``other`` says in words what it is."""

    model_config = ConfigDict(extra="forbid")

    kind: ReportedKind
    amount: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)] | None = None
    note: Annotated[str, Field(max_length=2000)] = ""


class VisitIn(BaseModel):
    """A visit: the five living conditions are left out where nobody looked."""

    model_config = ConfigDict(extra="forbid")

    visited_on: date
    findings: Annotated[str, Field(max_length=4000)]
    latitude: Degrees | None = None
    longitude: Degrees | None = None
    food_and_clothing: bool | None = None
    housing: bool | None = None
    medical: bool | None = None
    schooling: bool | None = None
    income: bool | None = None
    photos: Annotated[list[UUID], Field(max_length=20)] = []
    hardships: Annotated[list[SignIn], Field(max_length=5)] = []

    def visit(self) -> Visit:
        """As the rules take it; a photo named twice counts once."""
        signs = tuple(SeenSign(**dict(each)) for each in self.hardships)
        photos = tuple(dict.fromkeys(self.photos))
        return Visit(**dict(self) | {"hardships": signs, "photos": photos})


class VisitOut(BaseModel):
    """A visit as entered."""

    visit_id: UUID
    household_id: UUID
    division_code: str
    kind: VisitKind
    visited_on: date
    officer_id: str
    findings: str
    latitude: Decimal | None
    longitude: Decimal | None
    food_and_clothing: bool | None
    housing: bool | None
    medical: bool | None
    schooling: bool | None
    income: bool | None
    photos: list[UUID]


class TrackingDay(BaseModel):
    """A day by which a lifted household is to be visited, and the visit that met it, if any."""

    due_on: date
    visited_on: date | None


class Overdue(BaseModel):
    """A household whose visit is late; ``alarm``: nobody came for ``visits.alarm_months``."""

    household_id: UUID
    household_no: str
    division_code: str
    state: State
    officer_id: str | None
    last_visit: date | None
    due_on: date
    days_late: int
    alarm: bool


@household_routes.post("/visits", status_code=201, summary="Enter a visit")
async def enter(session: SessionDep, caller: Writer, household_id: UUID, body: VisitIn) -> VisitOut:
    visit_id = await actions.enter(session, caller, household_id, body.visit())
    rows = await queries.visits_of(session, household_id, divisions=caller.divisions)
    return next(_shown(row) for row in rows if row["visit_id"] == visit_id)


@household_routes.get("/visits", summary="The visits to a household, the earliest first")
async def list_of_household(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[VisitOut]:
    await views.looked_at(session, caller, household_id, "visit.read")
    rows = await queries.visits_of(session, household_id, divisions=caller.divisions)
    return [_shown(row) for row in rows]


@household_routes.get("/tracking", summary="When a lifted household is to be visited, and was")
async def tracking(session: SessionDep, caller: Reader, household_id: UUID) -> list[TrackingDay]:
    await views.looked_at(session, caller, household_id, "visit.read")
    lifted_on, days = await queries.planned(session, household_id, divisions=caller.divisions)
    rows = await queries.visits_of(session, household_id, divisions=caller.divisions)
    visited = [row["visited_on"] for row in rows if row["kind"] == VisitKind.TRACKING]
    met = rules.met(days, lifted_on, visited)
    return [TrackingDay(due_on=day, visited_on=visit) for day, visit in met.items()]


@routes.get("", summary="Visits by division and officer, in the order in which they were entered")
async def list_visits(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    officer: Annotated[str | None, Query(max_length=100)] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[VisitOut]:
    rows = await queries.page(
        session,
        divisions=caller.divisions,
        within=prefixes(division),
        officer_id=officer,
        after=after_id(cursor),
        limit=limit + 1,
    )
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="visit.read",
        subject_type="household",
        subject="household_id",
    )
    shown = [{**row, "findings": _findings(row)} for row in rows]
    return page(shown, limit, "visit_id", VisitOut)


@routes.get("/overdue", summary="Households whose visit is late")
async def list_overdue(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[Overdue]:
    today = clock.today()
    wanted = Due(
        within=within(caller, division),
        by=today - timedelta(days=1),
        after=after_id(cursor),
        limit=limit + 1,
    )
    rows = [
        {
            **row,
            "days_late": max((today - row["due_on"]).days, 0),
            "alarm": row["alarm_on"] <= today,
        }
        for row in await queries.due(session, wanted)
    ]
    return page(rows, limit, "household_id", Overdue)


def _findings(row: RowMapping) -> str:
    return sealed.show_words(row["findings_encrypted"])


def _shown(row: RowMapping) -> VisitOut:
    return VisitOut.model_validate({**row, "findings": _findings(row)})
