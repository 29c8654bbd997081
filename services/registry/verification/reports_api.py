"""How doubts are settled, reports made and printed, late files handed in (section 4)."""

from typing import Annotated
from uuid import UUID

from fastapi import File, Query, UploadFile
from fastapi.responses import HTMLResponse

from services.registry import pages
from services.registry.households import views
from services.registry.verification import queries, receiving, reporting, settling, showing
from services.registry.verification.api import Reader, Writer
from services.registry.verification.report_schemas import (
    DoubtOut,
    FileReceived,
    LineRefusal,
    ReportIn,
    ReportOut,
    ReportSummary,
    Settlement,
)
from services.registry.verification.sources import Source
from shared import api
from shared.auth import Caller
from shared.db import SessionDep
from shared.errors import NotFound

household_routes = api.router("/v1/households/{household_id}", tags=["verification"])
routes = api.router("/v1", tags=["verification"])
MOST_FILE = 20_000_000


@household_routes.get("/verifications/{verification_id}/doubts", summary="Its doubts")
async def list_doubts(
    session: SessionDep, caller: Reader, household_id: UUID, verification_id: UUID
) -> list[DoubtOut]:
    await views.looked_at(session, caller, household_id, "household.doubts_read")
    where = caller.divisions
    if await queries.one(session, household_id, verification_id, divisions=where) is None:
        raise NotFound("verification_not_found", "no such verification of this household")
    rows = await queries.doubts_of(session, verification_id, divisions=where)
    return [DoubtOut.model_validate(dict(row)) for row in rows]


@routes.post(
    "/verification-doubts/{doubt_id}/settle", summary="Confirm, explain or correct a doubt"
)
async def settle_doubt(
    session: SessionDep, caller: Writer, doubt_id: UUID, body: Settlement
) -> DoubtOut:
    await settling.settle(session, caller, doubt_id, **dict(body))
    row = await queries.doubt(session, doubt_id, divisions=caller.divisions)
    return DoubtOut.model_validate(dict(row or {}))


@household_routes.post(
    "/verifications/{verification_id}/reports", status_code=201, summary="Make its report"
)
async def make_report(
    session: SessionDep,
    caller: Writer,
    household_id: UUID,
    verification_id: UUID,
    body: ReportIn,
) -> ReportOut:
    report_id = await reporting.make(
        session, caller, household_id, verification_id, missing_reason=body.missing_reason
    )
    return await _report(session, caller, report_id)


@household_routes.get("/verification-reports", summary="A household's reports, newest first")
async def list_reports(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[ReportSummary]:
    await views.looked_at(session, caller, household_id, "household.reports_read")
    rows = await queries.reports_of(session, household_id, divisions=caller.divisions)
    return [ReportSummary.model_validate(dict(row)) for row in rows]


@routes.get("/verification-reports/{report_id}", summary="One report")
async def one_report(session: SessionDep, caller: Reader, report_id: UUID) -> ReportOut:
    report = await _report(session, caller, report_id)
    await views.looked_at(session, caller, report.household_id, "household.report_read")
    return report


@routes.post(
    "/verification-reports/{report_id}/print",
    summary="Print a report: a Chinese page; every print is counted",
    response_class=HTMLResponse,
)
async def print_report(session: SessionDep, caller: Reader, report_id: UUID) -> HTMLResponse:
    await reporting.count_print(session, caller, report_id)
    report = await _report(session, caller, report_id)
    return HTMLResponse(showing.printed(report), headers=pages.HEADERS)


@routes.post(
    "/verification-files",
    summary="Hand in a late file of one source (NDJSON)",
    openapi_extra={"x-max-body-bytes": MOST_FILE},
)
async def hand_in_file(
    session: SessionDep,
    caller: Writer,
    source: Annotated[Source, Query()],
    file: Annotated[UploadFile, File(description="one line a person: case_number, id_number …")],
) -> FileReceived:
    received = await receiving.receive(session, caller, source, await file.read())
    return FileReceived(
        source=source,
        lines=received.lines,
        stored=received.stored,
        unchanged=received.unchanged,
        refusals=[
            LineRefusal(line=refusal.line, code=refusal.code) for refusal in received.refusals
        ],
    )


async def _report(session: SessionDep, caller: Caller, report_id: UUID) -> ReportOut:
    row = await queries.report(session, report_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("report_not_found", "no such report in the caller's divisions")
    return await showing.shown(session, caller, row)
