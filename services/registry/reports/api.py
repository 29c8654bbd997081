"""The registry's reports: who may be missed, whether the files add up, who fell back, incomes."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping

from services.registry.checks import queries as checks
from services.registry.households import records, views
from services.registry.reports import filing, incomes, queries, rules
from services.registry.reports.incomes import Years
from services.registry.reports.queries import Asked
from services.registry.reports.rules import GapKind, Measured
from shared import api, audit, clock, parameters
from shared.asked import AskedCursor, AskedDivision, after_id, page, within
from shared.auth import Caller, requires
from shared.contracts.registry import Category, Cause, Incomes
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
    """What became of the households found in a period, where they came from, and of its leads.

    ``difference`` = found - rejected - filed: those that ``…/filing/differences`` names.
    """

    found: int
    filed: int
    rejected: int
    pending: int
    withdrawn: int
    closed: int
    difference: int
    by_application: int
    by_roster: int
    by_batch: int
    by_split: int
    leads_found: int
    leads_accepted: int
    leads_dismissed: int


class Difference(BaseModel):
    """A household found in the period that is neither filed nor rejected, and what became of it."""

    household_id: UUID
    division_code: str
    opened_on: date
    became: Literal["pending", "withdrawn", "closed"]


class Returns(BaseModel):
    """Of the households tracked in a year, how many fell back; no rate where nobody is tracked.

    Neither ``category`` nor ``cause``: all of them. One with several causes counts under each.
    """

    category: Category | None
    cause: Cause | None
    tracked: int
    returned: int
    rate: Decimal | None


class Summed(BaseModel):
    """All that households had, in yuan; ``a_head`` takes a business loss as 0 (R3)."""

    on: date
    households: int
    people: int
    incomes: Incomes
    a_head: Decimal | None

    @classmethod
    def of(cls, row: RowMapping, name: str, day: date) -> Self:
        """From the columns that begin with ``name``."""
        people = row[f"{name}_people"]
        return cls(
            on=day,
            households=row[f"{name}_households"],
            people=people,
            incomes=Incomes(**{kind: row[f"{name}_{kind}"] for kind in Incomes.model_fields}),
            a_head=rules.a_head(row[f"{name}_total"], people),
        )


class IncomeTrend(BaseModel):
    """Households on assistance or in tracking on the last day of a year, and of the one before.

    ``compared``: with an income a head on both days; of these so many ``rose`` and ``fell``.
    """

    now: Summed
    before: Summed
    compared: int
    rose: int
    fell: int


class YearIncomeOut(BaseModel):
    """A year's income by kind in yuan, and a head.

    ``falls``: less a head than the year before, by more than ``reports.income_fall_percent``; null
    where the county has not set it.
    """

    model_config = ConfigDict(from_attributes=True)

    year: int
    incomes: Incomes
    n: int
    a_head: Decimal | None
    change: Decimal | None
    falls: bool | None


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
        subject_type="lead" if kind is GapKind.LEAD_OVERDUE else "household",
        subject_id=[row["subject_id"] for row in rows[:limit]],
        division_code=[row["division_code"] for row in rows[:limit]],
        detail={"kind": kind.value},
    )
    more = api.encode_cursor([rows[limit - 1]["subject_id"]]) if len(rows) > limit else None
    items = [Gap.model_validate(row) for row in rows[:limit]]
    return Gaps(reported=True, items=items, next_cursor=more)


@routes.get("/filing", summary="Whether found, filed and rejected add up (C6)")
async def get_filing(
    session: SessionDep,
    caller: Reader,
    *,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
    division: AskedDivision = None,
) -> Filing:
    _in_order(first, last)
    row = await filing.filing(session, within(caller, division), first, last)
    left = rules.difference(row["found"], filed=row["filed"], rejected=row["rejected"])
    return Filing(**row, difference=left)


@routes.get("/filing/differences", summary="Households found and neither filed nor rejected")
async def list_differences(
    session: SessionDep,
    caller: Reader,
    *,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[Difference]:
    _in_order(first, last)
    asked = Asked(within=within(caller, division), after=after_id(cursor), limit=limit + 1)
    rows = await filing.differences(session, first, last, asked)
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="report.filing_differences",
        subject_type="household",
        subject="household_id",
    )
    return page(rows, limit, "household_id", Difference)


@routes.get("/returns", summary="How many of those tracked fell back in a year (C7)")
async def returns(
    session: SessionDep,
    caller: Reader,
    *,
    year: Annotated[int, Query(ge=2000, le=2200)],
    division: AskedDivision = None,
) -> list[Returns]:
    _not_to_come(year)
    rows = await queries.returns(session, within(caller, division), year)
    return [Returns(**row, rate=rules.rate(row["returned"], row["tracked"])) for row in rows]


@routes.get("/income-trend", summary="How incomes moved against the year before (C9)")
async def income_trend(
    session: SessionDep,
    caller: Reader,
    *,
    year: Annotated[int, Query(ge=2000, le=2200)],
    division: AskedDivision = None,
) -> IncomeTrend:
    _not_to_come(year)
    years = Years.of(year, today=clock.today())
    row = await incomes.trend(session, within(caller, division), years)
    now, before = (Summed.of(row, name, day) for name, day in years.named().items())
    counted = {name: row[name] for name in ("compared", "rose", "fell")}
    return IncomeTrend(**counted, now=now, before=before)


@household_routes.get("/income-series", summary="A household's yearly incomes (C9)")
async def income_series(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[YearIncomeOut]:
    await views.looked_at(session, caller, household_id, "household.income_series_read")
    timeline = (await records.load_timelines(session, [household_id]))[household_id]
    place, today = timeline[-1].facts.division_code, clock.today()
    value = await parameters.value_at(session, rules.FALL_PERCENT, place, today)
    measured = await _measured(session, household_id, caller)
    years = rules.series(timeline, measured, today=today, percent=value.value if value else None)
    return [YearIncomeOut.model_validate(each) for each in years]


async def _measured(session: SessionDep, household_id: UUID, caller: Caller) -> list[Measured]:
    rows = await checks.checks_of(session, household_id, divisions=caller.divisions)
    return [
        Measured(
            checked_on=row["checked_on"],
            incomes=Incomes(**{kind: row[f"income_{kind}"] for kind in Incomes.model_fields}),
        )
        for row in rows
    ]


def _gap(row: Any) -> dict[str, Any]:
    """A late visit names its household alone, and its last day as the day since when."""
    given = dict(row)
    given.setdefault("subject_id", given["household_id"])
    given.setdefault("since", given.get("due_on"))
    return given


def _not_to_come(year: int) -> None:
    if year > clock.today().year:
        fault = Fault("query/year", "year_to_come", "nothing is known of a year to come")
        raise Refused("year_to_come", "nothing is known of a year to come", faults=[fault])


def _in_order(first: date, last: date) -> None:
    if last < first:
        fault = Fault("query/to", "period_reversed", "the period ends before it begins")
        raise Refused("period_reversed", "the period ends before it begins", faults=[fault])
