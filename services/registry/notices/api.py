"""How to ask for a public notice before a decision, and what came of it (C25, C60)."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from services.registry.households import views
from services.registry.notices import actions, queries
from services.registry.notices.rules import Wish
from shared import api
from shared.asked import AskedCursor, after_id
from shared.auth import Caller, requires
from shared.contracts.notices import NoticeKind, NoticeOutcome, NoticeStatus
from shared.contracts.registry import Category
from shared.db import SessionDep

routes = api.router("/v1/households/{household_id}/notices", tags=["notices"])
Reader = Annotated[Caller, requires("registry.households:read")]
Decider = Annotated[Caller, requires("registry.households:decide")]
Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]


class NoticeIn(BaseModel):
    """What is to be announced. ``category`` is the one asked for, the file's when left out.

    ``applicant_person_id`` names an adult member; left out, the head or the oldest adult is named.
    """

    model_config = ConfigDict(extra="forbid")

    kind: NoticeKind
    category: Category | None = None
    amount: Amount | None = None
    applicant_person_id: UUID | None = None


class Withdrawal(BaseModel):
    """Why a notice is no longer wanted."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=2000)]


class NoticeOut(BaseModel):
    """A request and what came of it; ``status`` is null until notify has taken it up.

    ``decidable_from`` is the first day on which the decision may follow, as known by now.
    """

    notice_request_id: UUID
    household_id: UUID
    kind: NoticeKind
    episode: int
    category: Category
    n: int
    amount: Decimal | None
    applicant_person_id: UUID | None
    requested_on: date
    requested_by: str
    withdrawn_on: date | None
    withdrawn_reason: str | None
    version: int
    notice_id: UUID | None
    status: NoticeStatus | None
    posted_on: date | None
    last_day: date | None
    objections: int | None
    outcome: NoticeOutcome | None
    refusal: str | None
    closed_on: date | None
    decidable_from: date | None


@routes.post("", status_code=201, summary="Ask for a public notice of what is to be decided")
async def request_notice(
    session: SessionDep, caller: Decider, household_id: UUID, body: NoticeIn
) -> NoticeOut:
    request_id = await actions.request(session, caller, household_id, Wish(**dict(body)))
    return await _one(session, caller, household_id, request_id)


@routes.post("/{notice_request_id}/withdraw", summary="Take a notice back before it has ended")
async def withdraw_notice(
    session: SessionDep,
    caller: Decider,
    household_id: UUID,
    notice_request_id: UUID,
    body: Withdrawal,
) -> NoticeOut:
    await actions.withdraw(session, caller, household_id, notice_request_id, body.reason)
    return await _one(session, caller, household_id, notice_request_id)


@routes.get("", summary="The notices of a household in the order in which they were asked for")
async def list_notices(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    *,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[NoticeOut]:
    await views.looked_at(session, caller, household_id, "household.notices_read")
    rows = await queries.notices_of(
        session,
        household_id,
        divisions=caller.divisions,
        after=after_id(cursor),
        limit=limit + 1,
    )
    shown = [_shown(row) for row in rows[:limit]]
    more = api.encode_cursor([shown[-1].notice_request_id]) if len(rows) > limit else None
    return api.Page(items=shown, next_cursor=more)


async def _one(
    session: SessionDep, caller: Caller, household_id: UUID, request_id: UUID
) -> NoticeOut:
    rows = await queries.notices_of(session, household_id, divisions=caller.divisions)
    (row,) = [row for row in rows if row["notice_request_id"] == request_id]
    return _shown(row)


def _shown(row: RowMapping) -> NoticeOut:
    first_day = queries.announcement(row).decidable_from
    return NoticeOut.model_validate({**row, "decidable_from": first_day})
