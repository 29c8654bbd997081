"""How to enter income checks and to read them (section 5, lift criteria)."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.checks import actions, queries
from services.registry.checks.rules import Shortfall, Survey
from services.registry.households import views
from services.registry.households.schemas import IncomesIn
from shared import api
from shared.asked import AskedCursor
from shared.auth import Caller, requires
from shared.contracts.registry import Category, Incomes
from shared.db import SessionDep

routes = api.router("/v1/households/{household_id}/checks", tags=["checks"])
Reader = Annotated[Caller, requires("registry.households:read")]
Writer = Annotated[Caller, requires("registry.households:write")]


class CheckIn(BaseModel):
    """What was found on a visit. ``food_and_clothing``: no worry for food and clothing (两不愁)."""

    model_config = ConfigDict(extra="forbid")

    checked_on: date
    incomes: IncomesIn
    food_and_clothing: bool
    note: Annotated[str, Field(max_length=2000)] = ""


class CheckOut(BaseModel):
    """A check, what it was judged by and what it came to; ``reasons`` says why it did not pass."""

    check_id: UUID
    household_id: UUID
    episode: int
    checked_on: date
    category: Category
    n: int
    income_wage: Decimal
    income_business: Decimal
    income_property: Decimal
    income_transfer: Decimal
    food_and_clothing: bool
    note: str
    per_capita_month: Decimal
    per_capita_year: Decimal
    line: Decimal
    document_number: str
    g4600_limit: Decimal | None
    passed: bool
    reasons: list[Shortfall]
    officer_id: str


@routes.post("", status_code=201, summary="Enter an income check of a household on assistance")
async def enter_check(
    session: SessionDep, caller: Writer, household_id: UUID, body: CheckIn
) -> CheckOut:
    survey = Survey(**{**dict(body), "incomes": Incomes(**dict(body.incomes))})
    return CheckOut.model_validate(await actions.enter(session, caller, household_id, survey))


@routes.get("", summary="The income checks of a household by their days")
async def list_checks(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    *,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[CheckOut]:
    await views.looked_at(session, caller, household_id, "household.checks_read")
    after = None
    if cursor is not None:
        day, check_id = api.decode_cursor(cursor, date, UUID)
        after = (day, check_id)
    rows = await queries.checks_of(
        session, household_id, divisions=caller.divisions, after=after, limit=limit + 1
    )
    shown = [CheckOut.model_validate(dict(row)) for row in rows[:limit]]
    last = (shown[-1].checked_on, shown[-1].check_id) if len(rows) > limit else ()
    return api.Page(items=shown, next_cursor=api.encode_cursor(last) if last else None)
