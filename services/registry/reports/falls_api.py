"""How falls of income are listed and settled (C9)."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from services.registry.households import sealed
from services.registry.reports import actions, incomes
from services.registry.reports.queries import Asked
from services.registry.reports.rules import FallOutcome, SettledBy, Settlement
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, within
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/income-falls", tags=["reports"])
Reader = Annotated[Caller, requires("registry.reports:read")]
Writer = Annotated[Caller, requires("registry.reports:write")]


class SettlementIn(BaseModel):
    """How a fall was settled: a visit or a check since it was found, or else a reason."""

    model_config = ConfigDict(extra="forbid")

    outcome: SettledBy
    reason: Annotated[str, Field(max_length=2000)] = ""


class IncomeFallOut(BaseModel):
    """Income a head at the end of ``year``, in yuan, less than a year before."""

    income_fall_id: UUID
    household_id: UUID
    division_code: str
    year: int
    before: Decimal
    now: Decimal
    percent: Decimal
    opened_on: date
    outcome: FallOutcome | None
    settled_on: date | None
    settled_by: str | None
    reason: str


@routes.get("", summary="Yearly incomes that fell, open or settled")
async def list_falls(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[IncomeFallOut]:
    asked = Asked(within=within(caller, division), after=after_id(cursor), limit=limit + 1)
    rows = await incomes.falls(session, asked, is_open=is_open)
    shown = rows[:limit]
    await audit.record_rows(
        session,
        caller,
        shown,
        action="income_fall.read",
        subject_type="household",
        subject="household_id",
    )
    more = api.encode_cursor([shown[-1]["income_fall_id"]]) if len(rows) > limit else None
    return api.Page(items=[_shown(row) for row in shown], next_cursor=more)


@routes.post("/{income_fall_id}/settle", summary="Settle a fall of income")
async def settle(
    session: SessionDep, caller: Writer, income_fall_id: UUID, body: SettlementIn
) -> IncomeFallOut:
    await actions.settle(session, caller, income_fall_id, Settlement(**dict(body)))
    row = await incomes.one_fall(session, income_fall_id, divisions=caller.divisions)
    if row is None:
        raise ValueError("a fall that was settled is there")
    return _shown(row)


def _shown(row: RowMapping) -> IncomeFallOut:
    reason = sealed.show_words(row["reason_encrypted"])
    return IncomeFallOut.model_validate({**row, "reason": reason})
