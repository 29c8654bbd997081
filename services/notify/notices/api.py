"""Notices for officers: what is posted and was, the sheet, objections and their answers."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices import objections, queries, sealed
from services.notify.notices.parameters import DEFINITIONS
from services.notify.notices.rules import Answer, Refusal
from shared import api, audit, crypto, parameters
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.contracts.notices import NoticeKind, NoticeOutcome
from shared.contracts.registry import Category
from shared.db import SessionDep
from shared.errors import Conflict, NotFound

routes = api.router("/v1/notices", tags=["notices"])
parameter_routes = parameters.router("notify", DEFINITIONS)

Reader = Annotated[Caller, requires("notify.notices:read")]
Writer = Annotated[Caller, requires("notify.notices:write")]
Decider = Annotated[Caller, requires("notify.notices:decide")]

PLAIN = "pii:read"
Status = Literal["waiting", "posted", "objected", "closed"]
Words = Annotated[str, Field(min_length=1, max_length=1000)]


class NoticeView(BaseModel):
    """A notice without the name on it. ``waiting``: asked for, and not posted yet.

    ``to_post`` says that its posting, or another one with other content, is due; ``refusal_rule``
    names the rule of the content check behind ``content_forbidden``.
    """

    model_config = ConfigDict(from_attributes=True)

    notice_id: UUID
    notice_request_id: UUID
    household_id: UUID
    division_code: str
    kind: NoticeKind
    episode: int
    category: Category | None
    n: int
    amount: Decimal | None
    applicant_person_id: UUID | None
    requested_on: date
    status: Status
    to_post: bool
    posted_on: date | None
    last_day: date | None
    objections_open: int
    objections_dismissed: int
    outcome: NoticeOutcome | None
    refusal: Refusal | None
    refusal_rule: str | None
    closed_on: date | None
    version: int


class Sheet(BaseModel):
    """The notice as it hangs in the village, line by line."""

    notice_id: UUID
    posted_on: date
    last_day: date
    lines: list[str]


class ObjectionEntry(BaseModel):
    """What a citizen objects, as an officer writes it down."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    text: Words
    objector: Annotated[str, Field(min_length=1, max_length=50)] = "匿名"
    contact: Annotated[str, Field(min_length=1, max_length=50)] | None = None


class AnswerEntry(BaseModel):
    """What the officer who answers decides, and why."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    outcome: Literal[Answer.DISMISSED, Answer.UPHELD]
    reason: Words


class ObjectionView(BaseModel):
    """An objection; who objects is masked without the scope pii:read."""

    objection_id: UUID
    notice_id: UUID
    text: str
    objector: str
    contact: str | None
    recorded_by: str
    recorded_at: datetime
    outcome: Answer | None
    reason: str | None
    answered_by: str | None
    answered_at: datetime | None


@routes.get("", summary="Notices by division, kind and status")
async def list_notices(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    kind: Annotated[NoticeKind | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[NoticeView]:
    """By notice id, which ascends with time; closed ones stay."""
    asked = queries.NoticeFilter(within=prefixes(division), kind=kind, status=status)
    rows = await queries.notices(
        session, asked, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await _note(session, caller, "notice.read", rows[:limit])
    return page(rows, limit, "notice_id", NoticeView)


@routes.get("/{notice_id}", summary="One notice")
async def one_notice(session: SessionDep, caller: Reader, notice_id: UUID) -> NoticeView:
    """404 ``notice_unknown``."""
    row = await _notice(session, caller, notice_id)
    await _note(session, caller, "notice.read", [row])
    return NoticeView.model_validate(row)


@routes.get("/{notice_id}/sheet", summary="The sheet to print")
async def sheet(session: SessionDep, caller: Reader, notice_id: UUID) -> Sheet:
    """404 ``notice_unknown``; 409 ``notice_not_posted``."""
    row = await _notice(session, caller, notice_id)
    if row["content_encrypted"] is None:
        raise Conflict("notice_not_posted", "该公示没有张贴，因此没有可打印的内容")
    await _note(session, caller, "notice.sheet_read", [row])
    return Sheet(
        notice_id=notice_id,
        posted_on=row["posted_on"],
        last_day=row["last_day"],
        lines=sealed.show_sheet(row["content_encrypted"]),
    )


@routes.post("/{notice_id}/objections", status_code=201, summary="Record an objection")
async def record_objection(
    session: SessionDep, caller: Writer, notice_id: UUID, entry: ObjectionEntry, response: Response
) -> ObjectionView:
    """Within the period only. 404 ``notice_unknown``; 409 ``notice_period_over``,
    ``notice_closed``, ``notice_not_posted``.
    """
    said = objections.Said(**entry.model_dump())
    objection_id = await objections.record_objection(session, caller, notice_id, said)
    response.headers["Location"] = f"/v1/notices/{notice_id}/objections"
    row = await queries.objection_by_id(session, notice_id, objection_id, caller.divisions)
    if row is None:
        raise NotFound("objection_unknown", f"没有编号为{objection_id}的异议")
    return _shown(row, plain=caller.can(PLAIN))


@routes.get("/{notice_id}/objections", summary="What was objected, and how it was answered")
async def list_objections(
    session: SessionDep,
    caller: Reader,
    notice_id: UUID,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[ObjectionView]:
    """By objection id; 404 ``notice_unknown``. Every look is written down."""
    await _notice(session, caller, notice_id)
    rows = await queries.objections_of(
        session, notice_id, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="objection.read",
        subject_type="objection",
        subject="objection_id",
    )
    shown = [_shown(row, plain=caller.can(PLAIN)) for row in rows[:limit]]
    more = api.encode_cursor([shown[-1].objection_id]) if len(rows) > limit else None
    return api.Page(items=shown, next_cursor=more)


@routes.post("/{notice_id}/objections/{objection_id}/answer", summary="Answer an objection")
async def answer_objection(
    session: SessionDep, caller: Decider, notice_id: UUID, objection_id: UUID, entry: AnswerEntry
) -> NoticeView:
    """The notice as it stands now. Not by who recorded the objection.

    404 ``notice_unknown``, ``objection_unknown``; 409 ``objection_answered``, ``notice_closed``,
    ``same_officer``.
    """
    await objections.answer_objection(
        session, caller, notice_id, objection_id, answer=entry.outcome, reason=entry.reason
    )
    return NoticeView.model_validate(await _notice(session, caller, notice_id))


async def _notice(session: AsyncSession, caller: Caller, notice_id: UUID) -> RowMapping:
    row = await queries.notice_by_id(session, notice_id, caller.divisions)
    if row is None:
        raise NotFound("notice_unknown", f"没有编号为{notice_id}的公示")
    return row


async def _note(
    session: AsyncSession, caller: Caller, action: str, rows: Sequence[RowMapping]
) -> None:
    """Which household is to be assisted is personal data: every look at it is written down."""
    await audit.record_rows(
        session, caller, rows, action=action, subject_type="notice", subject="notice_id"
    )


def _shown(row: RowMapping, *, plain: bool) -> ObjectionView:
    objector, contact = (
        sealed.show(row["objector_encrypted"]),
        sealed.show(row["contact_encrypted"]),
    )
    named = objector or ""
    return ObjectionView.model_validate(
        {
            **row,
            "text": sealed.show(row["text_encrypted"]),
            "objector": named if plain or named == "匿名" else crypto.mask_name(named),
            "contact": contact if plain or contact is None else crypto.mask_phone(contact),
            "reason": sealed.show(row["reason_encrypted"]),
        }
    )
