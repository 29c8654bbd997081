"""The registry's reports: who may be missed, whether the files add up, who fell back, incomes."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from services.registry.households import records, views
from services.registry.reports import queries, rules
from services.registry.reports.queries import Asked
from services.registry.reports.rules import GapKind
from shared import api, audit, clock
from shared.asked import AskedCursor, AskedDivision, after_id, within
from shared.auth import Caller, requires
from shared.contracts.registry import Category, Incomes
from shared.db import SessionDep
from shared.errors import Fault, Refused

routes = api.router("/v1/reports", tags=["reports"])
household_routes = api.router("/v1/households/{household_id}", tags=["reports"])
Reader = Annotated[Caller, requires("registry.reports:read")]


class Gap(BaseModel):
    """Who may be missed, and since when; a lead about nobody on file has no household."""

    subject_id: UUID
    household_id: UUID | None
    division_code: str
    since: date


class Gaps(BaseModel):
    """A page of gaps; ``reported`` is False where no bureau reports what is asked about yet."""

    reported: bool
    items: list[Gap]
    next_cursor: str | None


class Filing(BaseModel):
    """Of the households found in a period, what became of them; ``difference`` is always 0."""

    found: int
    filed: int
    rejected: int
    pending: int
    closed: int
    by_roster: int
    difference: int


class Pending(BaseModel):
    """A household found in the period that nobody has decided on yet."""

    household_id: UUID
    division_code: str
    opened_on: date


class Returns(BaseModel):
    """Of the households tracked in a year, how many fell back; no rate where nobody is tracked."""

    category: Category | None
    tracked: int
    returned: int
    rate: Decimal | None


class YearIncomeOut(BaseModel):
    """A year's income by kind in yuan, and a head; ``falls``: less a head than the year before."""

    model_config = ConfigDict(from_attributes=True)

    year: int
    incomes: Incomes
    n: int
    a_head: Decimal | None
    change: Decimal | None
    falls: bool


@routes.get("/coverage-gaps", summary="Who may be missed, by kind (C1)")
async def list_gaps(
    session: SessionDep,
    caller: Reader,
    *,
    kind: GapKind,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> Gaps:
    today = clock.today()
    if kind is GapKind.PREMIUM_UNSUBSIDISED and not await queries.premiums_reported(
        session, since=date(today.year, 1, 1)
    ):
        return Gaps(reported=False, items=[], next_cursor=None)
    asked = Asked(within=within(caller, division), after=after_id(cursor), limit=limit + 1)
    rows = [_gap(row) for row in await queries.gaps(session, kind, asked, today=today)]
    await audit.record(
        session,
        caller,
        action="report.coverage_gaps",
        subject_type="household",
        subject_id=[row["subject_id"] for row in rows[:limit]],
        division_code=[row["division_code"] for row in rows[:limit]],
        detail={"kind": kind.value},
    )
    more = api.encode_cursor([rows[limit - 1]["subject_id"]]) if len(rows) > limit else None
    items = [Gap.model_validate(row) for row in rows[:limit]]
    return Gaps(reported=True, items=items, next_cursor=more)


@routes.get("/filing", summary="Whether found, filed and rejected add up (C6)")
async def filing(
    session: SessionDep,
    caller: Reader,
    *,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
    division: AskedDivision = None,
) -> Filing:
    _in_order(first, last)
    row = await queries.filing(session, within(caller, division), first, last)
    parts = [row[name] for name in ("filed", "rejected", "pending", "closed")]
    return Filing(**row, difference=rules.difference(row["found"], parts))


@routes.get("/filing/pending", summary="Households found in a period and not decided on")
async def list_pending(
    session: SessionDep,
    caller: Reader,
    *,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[Pending]:
    _in_order(first, last)
    asked = Asked(within=within(caller, division), after=after_id(cursor), limit=limit + 1)
    rows = await queries.pending(session, first, last, asked)
    items = [Pending.model_validate(dict(row)) for row in rows[:limit]]
    more = api.encode_cursor([items[-1].household_id]) if len(rows) > limit else None
    return api.Page(items=items, next_cursor=more)


@routes.get("/returns", summary="How many of those tracked fell back in a year (C7)")
async def returns(
    session: SessionDep,
    caller: Reader,
    *,
    year: Annotated[int, Query(ge=2000, le=2200)],
    division: AskedDivision = None,
) -> list[Returns]:
    rows = [dict(row) for row in await queries.returns(session, within(caller, division), year)]
    whole = {name: sum(row[name] for row in rows) for name in ("tracked", "returned")}
    return [
        Returns(**row, rate=rules.rate(row["returned"], row["tracked"]))
        for row in ({"category": None, **whole}, *rows)
    ]


@household_routes.get("/income-series", summary="A household's yearly incomes (C9)")
async def income_series(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[YearIncomeOut]:
    await views.looked_at(session, caller, household_id, "household.income_series_read")
    timelines = await records.load_timelines(session, [household_id])
    years = rules.series(timelines.get(household_id, ()), today=clock.today())
    return [YearIncomeOut.model_validate(each) for each in years]


def _gap(row: Any) -> dict[str, Any]:
    """A late visit names its household alone, and its last day as the day since when."""
    given = dict(row)
    given.setdefault("subject_id", given["household_id"])
    given.setdefault("since", given.get("due_on"))
    return given


def _in_order(first: date, last: date) -> None:
    if last < first:
        fault = Fault("query/to", "period_reversed", "the period ends before it begins")
        raise Refused("period_reversed", "the period ends before it begins", faults=[fault])
