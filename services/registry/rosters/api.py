"""Rosters over HTTP: hand one in, follow it, read its report (``downloads_api`` gives them out).

Thin routes. The upload is looked at as a whole before it is accepted: what cannot be a roster of
the caller's county is refused at once and leaves nothing.
"""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import File, Query, UploadFile
from fastapi.responses import StreamingResponse
from starlette.formparsers import MultiPartParser

from services.registry.households.views import PLAIN
from services.registry.rosters import actions, child, pair_files, queries, reading, remarks
from services.registry.rosters.archive import MAX_FILE, UnusableWorkbookError
from services.registry.rosters.downloads_api import REMARKED_ANSWER, ZIP, Reads, download
from services.registry.rosters.queries import Upload
from services.registry.rosters.schemas import (
    Asked,
    Received,
    ReportRow,
    RosterDetail,
    RosterView,
    links,
    row_of,
    view_of,
)
from shared import api, audit, clock
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import Conflict, Fault, Forbidden, NotFound, Problem, Refused, TooLarge

routes = api.router("/v1/rosters", tags=["rosters"])

Writes = Annotated[Caller, requires("registry.rosters:write")]
Cursor = Annotated[str | None, Query(max_length=500)]

# A larger part than this would lie on the disk as it came; the body limit bounds the memory.
MultiPartParser.spool_max_size = MAX_FILE + 1

_FORM_AROUND_FILE = 64 * 1024
_PIECE = 64 * 1024


@routes.post(
    "",
    status_code=202,
    summary="Hand in a county's roster (.xlsx, or two of them joined by the head's ID number)",
    openapi_extra={"x-max-body-bytes": MAX_FILE + _FORM_AROUND_FILE},
)
async def hand_in(
    session: SessionDep,
    caller: Writes,
    file: Annotated[UploadFile, File(description="The workbook as the office keeps it.")],
    second: Annotated[
        UploadFile | None,
        File(description="Where it is kept as 家庭查询 and 人员查询: the other of the two."),
    ] = None,
    dry_run: Annotated[bool, Query(description="Only say what an import would do.")] = False,
) -> Received:
    content = await _content(file, second)
    await queries.wait_for_child(session)
    try:
        survey = await child.run(reading.survey, content)
        roster_id, job = await actions.receive(session, caller, content, survey, dry_run=dry_run)
    except UnusableWorkbookError as unusable:
        raise _problem(unusable) from unusable
    return Received(
        roster_id=roster_id,
        job_id=job.job_id,
        dry_run=dry_run,
        links=links(roster_id, job.job_id),
    )


@routes.get("", summary="Rosters handed in, newest first")
async def list_rosters(
    session: SessionDep, caller: Reads, cursor: Cursor = None, limit: api.Limit = 50
) -> api.Page[RosterView]:
    after = api.decode_cursor(cursor, UUID)[0] if cursor else None
    uploads = await queries.list_uploads(
        session, divisions=caller.divisions, after=after, limit=limit + 1
    )
    found = await queries.jobs_of(session, uploads[:limit])
    items = [RosterView(**view_of(one, found.get(one.roster_id))) for one in uploads[:limit]]
    more = len(uploads) > limit
    return api.Page(
        items=items, next_cursor=api.encode_cursor([items[-1].roster_id]) if more else None
    )


@routes.get("/{roster_id}", summary="One roster: its state, its counts")
async def one_roster(session: SessionDep, caller: Reads, roster_id: UUID) -> RosterDetail:
    upload = await _upload(session, caller, roster_id)
    found = await queries.jobs_of(session, [upload])
    figures = await queries.figures(session, roster_id, divisions=caller.divisions)
    return RosterDetail(figures=figures, **view_of(upload, found.get(roster_id)))


@routes.get("/{roster_id}/report", summary="What was found, household by household")
async def report_of(
    session: SessionDep,
    caller: Reads,
    roster_id: UUID,
    asked: Annotated[Asked, Query()],
) -> api.Page[ReportRow]:
    upload = await _upload(session, caller, roster_id)
    rows = await queries.report_rows(
        session,
        roster_id,
        divisions=caller.divisions,
        verdict=asked.verdict,
        severity=asked.severity,
        after=api.decode_cursor(asked.cursor, int)[0] if asked.cursor else -1,
        limit=asked.limit + 1,
    )
    limit = asked.limit
    plain = caller.can(PLAIN)
    await _audit(session, caller, upload, "roster.read", plain=plain)
    more = api.encode_cursor([rows[limit - 1]["ordinal"]]) if len(rows) > limit else None
    return api.Page(items=[row_of(row, plain=plain) for row in rows[:limit]], next_cursor=more)


@routes.get(
    "/{roster_id}/report.xlsx",
    summary="The same workbook with a column of remarks (of a pair both, as a zip)",
    response_class=StreamingResponse,
    responses=REMARKED_ANSWER,
)
async def report_workbook(session: SessionDep, caller: Reads, roster_id: UUID) -> StreamingResponse:
    upload = await _upload(session, caller, roster_id)
    _require_workbook(caller, upload)
    job = (await queries.jobs_of(session, [upload])).get(roster_id)
    if job is None or job.state in ("queued", "running"):
        raise Conflict("roster_not_finished", "the roster is still being worked on; ask again")
    rows = await queries.report_rows(session, roster_id, divisions=caller.divisions)
    told = remarks.remarks_by_row(rows, dry_run=upload.dry_run)
    content = await queries.file_of(session, roster_id)
    await _audit(session, caller, upload, "roster.download", plain=True)
    await queries.wait_for_child(session)
    remarked = await child.run(reading.remark, content, told)
    day = f"{clock.day_of(upload.created_at):%Y%m%d}"
    if pair_files.unpack(content):
        return download(_pieces(remarked), f"花名册-导入意见-{day}.zip", ZIP)
    return download(_pieces(remarked), f"花名册-导入意见-{day}.xlsx")


async def _content(file: UploadFile, second: UploadFile | None) -> bytes:
    content = await file.read()
    if second is None:
        return content
    return pair_files.pack([(file.filename, content), (second.filename, await second.read())])


async def _upload(session: SessionDep, caller: Caller, roster_id: UUID) -> Upload:
    upload = await queries.load(session, roster_id, divisions=caller.divisions)
    if upload is None:
        raise NotFound("roster_unknown", f"no roster {roster_id} in the divisions of this token")
    return upload


def _require_workbook(caller: Caller, upload: Upload) -> None:
    """Its uploader has it anyway; to others it shows whatever places and numbers stand in it."""
    if caller.officer_id == upload.caller.officer_id:
        return
    if not caller.can(PLAIN):
        raise Forbidden(
            "pii_not_granted", "the workbook holds ID numbers: it needs the scope pii:read"
        )
    if not caller.covers(upload.county_code):
        raise Forbidden(
            "workbook_beyond_divisions", "the workbook may hold all of its county; read the report"
        )


async def _audit(
    session: SessionDep, caller: Caller, upload: Upload, action: str, *, plain: bool
) -> None:
    await audit.record(
        session,
        caller,
        action=action,
        subject_type="roster",
        subject_id=upload.roster_id,
        division_code=upload.division_code,
        detail={"plain": plain},
    )


def _problem(unusable: UnusableWorkbookError) -> Problem:
    faults = [Fault(f"#/file/{cell}", code, message) for cell, code, message in unusable.faults]
    kind = TooLarge if unusable.code == "workbook_too_large" else Refused
    return kind(unusable.code, unusable.detail, faults=faults)


def _pieces(content: bytes) -> Iterator[bytes]:
    return (content[start : start + _PIECE] for start in range(0, len(content), _PIECE))
