"""How townships' reserve funds are allotted, accounted for, topped up and read (R23)."""

from typing import Annotated

from fastapi import Path
from sqlalchemy import RowMapping

from services.relief.temporary import funds, queries
from services.relief.temporary.fund_rules import Fund
from services.relief.temporary.schemas import FundEntryIn, FundEntryView, FundList, FundView
from shared import api
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1/petty-funds", tags=["temporary"])

Reader = Annotated[Caller, requires("relief.temporary:read")]
Keeper = Annotated[Caller, requires("relief.temporary:funds")]
Township = Annotated[str, Path(pattern="^[0-9]{9}$", examples=["331124002"])]


@routes.get("", summary="The reserve funds of a division")
async def list_funds(
    session: SessionDep, caller: Reader, division: AskedDivision = None
) -> FundList:
    """By township; sums of money alone, nothing of persons."""
    rows = await queries.funds(session, prefixes(division), caller.divisions)
    return FundList(items=[_shown(row) for row in rows])


@routes.post("/{division_code}/entries", status_code=201, summary="Allot, account for, top up")
async def enter(
    session: SessionDep, caller: Keeper, division_code: Township, body: FundEntryIn
) -> FundView:
    """422 ``more_than_paid``, ``more_than_accounted``; 403 ``division_not_covered``."""
    await funds.enter(session, caller, division_code, **dict(body))
    return await _one(session, caller, division_code)


@routes.get("/{division_code}/entries", summary="The movements of a fund")
async def entries(
    session: SessionDep,
    caller: Reader,
    division_code: Township,
    *,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[FundEntryView]:
    """By entry id, which ascends with time; nothing where no fund was allotted."""
    rows = await queries.fund_entries(
        session, division_code, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    return page(rows, limit, "entry_id", FundEntryView)


async def _one(session: SessionDep, caller: Caller, division_code: str) -> FundView:
    row = await queries.fund(session, division_code, caller.divisions)
    if row is None:
        raise NotFound("fund_unknown", f"no reserve fund of {division_code}")
    return _shown(row)


def _shown(row: RowMapping) -> FundView:
    fund = funds.fund_of(row)
    return FundView(
        division_code=row["division_code"],
        balance=fund.balance,
        unaccounted=fund.unaccounted,
        to_top_up=fund.to_top_up,
        **{name: getattr(fund, name) for name in Fund.__dataclass_fields__},
    )
