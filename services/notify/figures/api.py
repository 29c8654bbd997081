"""How to ask for the figures of a county and its townships. No row is about one household."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from services.notify.figures import queries
from services.notify.figures.queries import DIGITS, Asked
from shared import api
from shared.asked import AskedDivision, Month
from shared.auth import Caller, requires
from shared.contracts.registry import Category, State
from shared.db import SessionDep

routes = api.router("/v1", tags=["figures"])

READ = "notify.figures:read"
Reader = Annotated[Caller, requires(READ)]
Months = Annotated[int, Query(ge=1, le=60, description="this month and so many before, less one")]


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    division_code: str


class HouseholdsRow(_Row):
    """Households and people of one place in one state and category."""

    state: State
    category: Category
    on_assistance: bool
    households: int
    people: int


class FlowRow(_Row):
    """How many households of one place moved in one month."""

    month: Month
    found: int
    identified: int
    lifted: int
    exited: int
    returned: int


class MeasuresRow(_Row):
    """What one programme did in one place and month; reversed measures are in no sum."""

    month: Month
    programme: str
    service: str
    measures: int
    households: int
    approved_yuan: Decimal
    paid_yuan: Decimal


class GuaranteesRow(_Row):
    """How many households one guarantee is met and not met for; ``oldest`` is not met longest."""

    kind: str
    met: int
    not_met: int
    oldest: date | None


class NoticesRow(_Row):
    """Notices under way; those ``over`` are among the posted and wait for the decision."""

    waiting: int
    posted: int
    objected: int
    over: int


class WithoutMeasuresRow(_Row):
    """Households on assistance that no service has reported a measure for."""

    households: int


class Figures(BaseModel):
    """All figures of what was asked for, as of today; a place without a row has none."""

    as_of: date
    by: Literal["county", "township"]
    households: list[HouseholdsRow]
    flow: list[FlowRow]
    measures: list[MeasuresRow]
    guarantees: list[GuaranteesRow]
    notices: list[NoticesRow]
    without_measures: list[WithoutMeasuresRow]


@routes.get("/figures", summary="Figures by county or township")
async def figures(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    by: Literal["county", "township"] = "county",
    months: Months = 12,
) -> Figures:
    """Flows and measures reach back ``months``; everything else is as it stands."""
    asked = Asked(divisions=caller.divisions, division=division, digits=DIGITS[by])
    found = await queries.everything(session, asked, months)
    return Figures.model_validate({"by": by, **found})
