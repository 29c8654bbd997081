"""How help is proposed, decided and handed over, and a household's card is read (C54)."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.charity import accounts, allocating, queries, rules, showing
from services.relief.charity.allocating import HandOver, Wish
from services.relief.charity.rules import AllocationState, Line
from services.relief.charity.schemas import (
    AidView,
    AllocationDetail,
    AllocationIn,
    AllocationView,
    CancelIn,
    CardView,
    DecisionIn,
    HandOverIn,
)
from shared import api, audit, clock
from shared.asked import AskedCursor, after_id, page
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["charity"])

Reader = Annotated[Caller, requires("relief.charity:read")]
Writer = Annotated[Caller, requires("relief.charity:write")]
Decider = Annotated[Caller, requires("relief.charity:decide")]
CardReader = Annotated[Caller, requires("relief.aid:read")]


@routes.post(
    "/charity/federations/{federation_id}/allocations", status_code=201, summary="Propose help"
)
async def propose(
    session: SessionDep, caller: Writer, federation_id: UUID, body: AllocationIn
) -> AllocationDetail:
    """For one household of the registry, from named donations. 422 and 409 list every fault."""
    lines = [Line(**dict(line)) for line in body.lines]
    wish = Wish(**dict(body) | {"lines": lines})
    return await _one(
        session, caller, await allocating.propose(session, caller, federation_id, wish)
    )


@routes.get("/charity/allocations", summary="Allocations by federation, household or state")
async def allocations(
    session: SessionDep,
    caller: Reader,
    *,
    federation: UUID | None = None,
    household: UUID | None = None,
    state: AllocationState | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[AllocationView]:
    asked = queries.AllocationFilter(federation_id=federation, household_id=household, state=state)
    rows = await queries.allocations(
        session, asked, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="charity_allocation.read",
        subject_type="household",
        subject="household_id",
    )
    shown = [showing.allocation(caller, row) for row in rows]
    return page(shown, limit, "allocation_id", AllocationView)


@routes.get("/charity/allocations/{allocation_id}", summary="One allocation")
async def allocation(session: SessionDep, caller: Reader, allocation_id: UUID) -> AllocationDetail:
    found = await _one(session, caller, allocation_id)
    await audit.record(
        session,
        caller,
        action="charity_allocation.read",
        subject_type="household",
        subject_id=found.household_id,
        division_code=found.division_code,
    )
    return found


@routes.post("/charity/allocations/{allocation_id}/decide", summary="Approve or refuse help")
async def decide(
    session: SessionDep, caller: Decider, allocation_id: UUID, body: DecisionIn
) -> AllocationDetail:
    """By another officer than who proposed it. 409 ``same_officer``, ``balance_too_low``."""
    await allocating.decide(
        session, caller, allocation_id, approve=body.approve, reason=body.reason
    )
    return await _one(session, caller, allocation_id)


@routes.post("/charity/allocations/{allocation_id}/cancel", summary="Give up help not handed over")
async def cancel(
    session: SessionDep, caller: Writer, allocation_id: UUID, body: CancelIn
) -> AllocationDetail:
    """What it held goes back to its donations. 409 ``not_open``."""
    await allocating.cancel(session, caller, allocation_id, body.reason)
    return await _one(session, caller, allocation_id)


@routes.post("/charity/allocations/{allocation_id}/hand-over", summary="Help has arrived")
async def hand_over(
    session: SessionDep, caller: Writer, allocation_id: UUID, body: HandOverIn
) -> AllocationDetail:
    """409 ``not_approved``; 422 ``handed_over_on_impossible``."""
    await allocating.hand_over(session, caller, allocation_id, HandOver(**dict(body)))
    return await _one(session, caller, allocation_id)


@routes.get("/households/{household_id}/aid-view", summary="A household's card of a year (帮扶卡)")
async def aid_view(
    session: SessionDep,
    caller: CardReader,
    household_id: UUID,
    year: Annotated[int | None, Query(ge=2000, le=2200)] = None,
) -> CardView:
    """What relief pays and charity gives, by month; the same purpose in a month is flagged.

    404 ``household_unknown`` where there is none that the caller may see.
    """
    asked = year or clock.today().year
    household = await queries.household(session, household_id, caller.divisions)
    if household is None:
        raise NotFound("household_unknown", f"no household {household_id}")
    aids = await showing.aids(session, caller, household_id, asked)
    doubled = accounts.doubled(aids)
    await audit.record(
        session,
        caller,
        action="household.aid_read",
        subject_type="household",
        subject_id=household_id,
        division_code=household["division_code"],
    )
    return CardView(
        household_id=household_id,
        year=asked,
        total_yuan=rules.total_of([aid.amount for aid in aids]),
        items=[
            AidView.model_validate(asdict(aid) | {"doubled": aid.aid_id in doubled}) for aid in aids
        ],
    )


async def _one(session: AsyncSession, caller: Caller, allocation_id: UUID) -> AllocationDetail:
    row = await queries.allocation_by_id(session, allocation_id, caller.divisions)
    if row is None:
        raise NotFound("allocation_unknown", f"no allocation {allocation_id}")
    lines = [dict(line) for line in await queries.lines_of(session, allocation_id)]
    doubled = await showing.doubles(session, caller, row)
    shown = showing.allocation(caller, row) | {"lines": lines, "doubled": doubled}
    return AllocationDetail.model_validate(shown)
