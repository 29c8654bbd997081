"""Word to senders of leads (C22): for services and officers by division, each look noted."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import RowMapping

from services.notify.feedback import queries
from services.notify.feedback.queries import Wanted
from services.notify.feedback.rules import Progress, message
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, prefixes
from shared.auth import Caller, requires
from shared.contracts.leads import LeadState
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1/feedback", tags=["feedback"])

Reader = Annotated[Caller, requires("notify.feedback:read")]
Code = Annotated[str | None, Query(pattern="^[a-z_]{1,40}$")]


class SenderView(BaseModel):
    """Who reported, by kind; ``service`` is null for citizens and officers."""

    source: str
    service: str | None
    reported_on: date


class FeedbackView(BaseModel):
    """A lead for who reported it: ``message`` is the word to him, ready to be sent on.

    Told from the day on which that kind of sender, or that service, first reported; of all when
    none was asked for. ``accord`` is who applies, where it became an application.
    """

    lead_id: UUID
    division_code: str
    source: str
    senders: list[SenderView]
    state: LeadState
    opened_on: date
    visited_on: date | None
    decided_on: date | None
    accord: str | None
    message: str


@routes.get("", summary="What came of leads, by division and by who reported them")
async def list_feedback(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    source: Code = None,
    service: Code = None,
    state: LeadState | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[FeedbackView]:
    """By lead id, which ascends with time. ``source`` is how somebody reported, first or later."""
    wanted = Wanted(within=prefixes(division), source=source, service=service, state=state)
    rows = await queries.page(
        session, wanted, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    shown = rows[:limit]
    await audit.record_rows(
        session, caller, shown, action="feedback.read", subject_type="lead", subject="lead_id"
    )
    more = api.encode_cursor([shown[-1]["lead_id"]]) if len(rows) > limit else None
    return api.Page(items=[_view(row, source, service) for row in shown], next_cursor=more)


@routes.get("/{lead_id}", summary="What came of one lead")
async def one_feedback(session: SessionDep, caller: Reader, lead_id: UUID) -> FeedbackView:
    """404 ``lead_unknown``: there is none in the caller's divisions, or notify has yet to hear."""
    row = await queries.one(session, lead_id, caller.divisions)
    if row is None:
        raise NotFound("lead_unknown", f"没有编号为{lead_id}的线索")
    await audit.record_rows(
        session, caller, [row], action="feedback.read", subject_type="lead", subject="lead_id"
    )
    return _view(row)


def _view(row: RowMapping, source: str | None = None, service: str | None = None) -> FeedbackView:
    told = zip(row["sources"], row["services"], row["reported_on"], strict=True)
    senders = [SenderView(source=one, service=by, reported_on=on) for one, by, on in told]
    days = [
        sender.reported_on
        for sender in senders
        if source in {None, sender.source} and service in {None, sender.service}
    ]
    progress = Progress(
        state=LeadState(row["state"]),
        received_on=min(days, default=row["opened_on"]),
        visited_on=row["visited_on"],
        decided_on=row["decided_on"],
    )
    return FeedbackView(
        **{name: row[name] for name in _SHOWN},
        senders=senders,
        message=message(progress),
    )


_SHOWN = (
    "lead_id",
    "division_code",
    "source",
    "state",
    "opened_on",
    "visited_on",
    "decided_on",
    "accord",
)
