"""Taking requests for notices, ordering their posting, and closing those whose days are full (C60).

With ``posting`` and ``objections`` the only writers of notices. Notices are locked in the order of
their ids before anything is decided on them.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices import queries, writing
from services.notify.notices.queries import Row
from services.notify.notices.rules import (
    WAITING,
    Refusal,
    Standing,
    Step,
    content_of,
    outcome_of,
    refusal_of,
    step,
)
from shared import clock, identity, jobs
from shared.auth import system_caller
from shared.contracts.notices import NoticeOutcome, NoticeRequest, NoticeStatus

POST = "notify.post_notices"
"""The job that posts the notices of one county that a batch of requests asked for."""
CHUNK = 500
"""How many notices a turn closes, or orders again to be posted, in one transaction."""

SYSTEM = system_caller("notify")

_NEW = {
    "status": WAITING,
    "to_post": False,
    "content_encrypted": None,
    "posted_on": None,
    "last_day": None,
    "days_parameter_id": None,
    "objections_open": 0,
    "objections_dismissed": 0,
    "outcome": None,
    "refusal": None,
    "refusal_rule": None,
    "closed_on": None,
}
_REOPENED = _NEW | {"to_post": True}


async def take_requests(
    session: AsyncSession, requested: Mapping[UUID, tuple[int, NoticeRequest]]
) -> None:
    """Bring notices to what the newest requests, by request id with their versions, ask for.

    Refusals and withdrawals are published at once; what is to be posted is ordered as one job a
    county. The same version again, or an older one, changes nothing.
    """
    held = await queries.hold_requested(session, list(requested))
    codes = {request.division_code for _, request in requested.values()}
    known = await queries.division_names(session, codes)
    today = clock.today()
    steps: dict[Step, list[Row]] = {each: [] for each in Step}
    for request_id, (version, request) in sorted(requested.items()):
        row = held.get(request_id)
        if row is not None and version <= row["request_version"]:
            continue
        division_known = request.division_code in known
        refusal = refusal_of(request, division_known=division_known, today=today)
        what = step(_standing(row), request, version, refusal)
        steps[what].append(
            _after(what, row, request, version=version, refusal=refusal, today=today)
        )
    await _store(session, steps, {row["notice_id"] for row in held.values()})
    await order_posting(session, steps[Step.POST])


async def order_posting(session: AsyncSession, rows: Sequence[Row]) -> None:
    """Queue the posting of these notices in the session's transaction, one job a county."""
    for county, notice_ids in sorted(queries.by_county(rows).items()):
        arguments = {"notice_ids": sorted(str(notice_id) for notice_id in notice_ids)}
        await jobs.enqueue(session, SYSTEM, POST, arguments, county)


async def order_what_was_left(session: AsyncSession, _day: date) -> bool:
    """Order again what waits for its posting and has lost its job, after an operator's repair.

    A turn, so at the worker's start as well: a job given up for wrong credentials costs a restart.
    """
    rows = await queries.left_to_post(session, POST, CHUNK)
    await order_posting(session, rows)
    return len(rows) == CHUNK


async def close_what_is_over(session: AsyncSession, day: date) -> bool:
    """Close the next notices whose last day is before ``day`` and that nobody objects to (C60).

    A turn. One that an open objection holds is not among them: its answer closes it.
    """
    rows = await queries.hold_over(session, day, CHUNK)
    ended = [writing.closed(row, outcome_of(row["objections_dismissed"]), day) for row in rows]
    await writing.write(session, ended)
    await writing.tell(session, SYSTEM, "notice.closed", ended)
    return len(rows) == CHUNK


def _standing(row: Row | None) -> Standing | None:
    if row is None:
        return None
    return Standing(
        request_version=row["request_version"],
        content=queries.content_in(row),
        status=row["status"],
        outcome=row["outcome"],
        refusal=row["refusal"],
    )


def _after(
    what: Step,
    row: Row | None,
    request: NoticeRequest,
    *,
    version: int,
    refusal: Refusal | None,
    today: date,
) -> Row:
    """The notice once a request's version is taken. What is withdrawn keeps what it said."""
    fresh = {"notice_id": identity.new_id(), "version": 0, **_NEW, **_requested(request)}
    before = {**(row or fresh), "request_version": version}
    now = {**before, **_requested(request)}
    match what:
        case Step.POST:
            closed = before["status"] == NoticeStatus.CLOSED
            return {**now, **(_REOPENED if closed else {"to_post": True})}
        case Step.REFUSE if refusal is not None:
            return writing.refused(now, refusal, today)
        case Step.WITHDRAW:
            return writing.closed(before, NoticeOutcome.WITHDRAWN, today)
        case _:
            return before if request.withdrawn else now


def _requested(request: NoticeRequest) -> dict[str, Any]:
    content = content_of(request)
    return {
        "notice_request_id": request.notice_request_id,
        "household_id": request.household_id,
        "division_code": content.division_code,
        "kind": content.kind.value,
        "episode": request.episode,
        "category": content.category.value if content.category else None,
        "n": content.n,
        "amount": content.amount,
        "applicant_person_id": content.applicant_person_id,
        "applicant_birth_date": request.applicant_birth_date,
        "requested_on": request.requested_on,
    }


async def _store(
    session: AsyncSession, steps: Mapping[Step, Sequence[Row]], known: set[UUID]
) -> None:
    rows = [row for each in steps.values() for row in each]
    await writing.add(session, [row for row in rows if row["notice_id"] not in known])
    moved = [row for row in rows if row["notice_id"] in known]
    await writing.write(session, moved)
    ended = [*steps[Step.REFUSE], *steps[Step.WITHDRAW]]
    await writing.lapse_objections(session, [row["notice_id"] for row in ended])
    await writing.move_objections(session, [row["notice_id"] for row in moved])
    await writing.tell(session, SYSTEM, "notice.refused", steps[Step.REFUSE])
    await writing.tell(session, SYSTEM, "notice.withdrawn", steps[Step.WITHDRAW])
