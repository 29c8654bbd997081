"""What the API says about rosters."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from services.registry.rosters.columns import Severity, Verdict
from services.registry.rosters.queries import Figures, Upload
from shared import crypto
from shared.jobs import Job, State
from shared.paging import MOST_ITEMS


class Links(BaseModel):
    """Where to go on from here."""

    roster: str
    job: str
    report: str
    workbook: str


class Received(BaseModel):
    """The workbook has been taken in; the job says how far it is."""

    roster_id: UUID
    job_id: UUID
    dry_run: bool
    links: Links


class RosterView(BaseModel):
    """One upload. ``state`` and ``failure`` are those of its job, ``done`` counts households."""

    roster_id: UUID
    job_id: UUID
    division_code: str
    county_code: str
    dry_run: bool
    state: State
    failure: str | None
    done: int
    total: int | None
    rows: int
    uploaded_by: str | None
    created_at: datetime
    links: Links


class RosterDetail(RosterView):
    """One upload with its counts, as far as it has come."""

    figures: Figures


class Asked(BaseModel):
    """Which rows of a report. ``severity=warn`` keeps the households with a warning."""

    verdict: Verdict | None = None
    severity: Severity | None = None
    cursor: str | None = Field(default=None, max_length=500)
    limit: int = Field(default=100, ge=1, le=MOST_ITEMS)


class FindingView(BaseModel):
    """One finding; ``cell`` is empty where it is about no cell."""

    cell: str
    code: str
    message: str
    severity: Severity


class ReportRow(BaseModel):
    """One household of the sheet, or (verdict absent, no rows) one the sheet does not hold.

    Of a pair the rows are those of 家庭查询; rejected without rows are people who have none there.
    """

    division_code: str
    first_row: int | None
    last_row: int | None
    serial: str
    head_name: str
    people: int
    verdict: Verdict
    household_id: UUID | None
    findings: list[FindingView]


def links(roster_id: UUID, job_id: UUID) -> Links:
    """The addresses that go with one roster."""
    return Links(
        roster=f"/v1/rosters/{roster_id}",
        job=f"/v1/jobs/{job_id}",
        report=f"/v1/rosters/{roster_id}/report",
        workbook=f"/v1/rosters/{roster_id}/report.xlsx",
    )


def view_of(upload: Upload, job: Job | None) -> dict[str, Any]:
    """The members of a RosterView."""
    return {
        "roster_id": upload.roster_id,
        "job_id": upload.job_id,
        "division_code": upload.division_code,
        "county_code": upload.county_code,
        "dry_run": upload.dry_run,
        "state": job.state if job else "failed",
        "failure": job.failure if job else "job_gone",
        "done": job.done if job else 0,
        "total": job.total if job else None,
        "rows": upload.rows,
        "uploaded_by": upload.caller.officer_id,
        "created_at": upload.created_at,
        "links": links(upload.roster_id, upload.job_id),
    }


def row_of(row: Any, *, plain: bool) -> ReportRow:
    """A report row; the head's name is masked unless ``plain``."""
    fields = {name: row[name] for name in ReportRow.model_fields if name != "head_name"}
    name = row["head_name"]
    return ReportRow(head_name=name if plain else crypto.mask_name(name), **fields)
