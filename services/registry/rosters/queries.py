"""How rosters and their reports are read: within the caller's divisions, set-based."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping, Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from services.registry.rosters.columns import Severity, Verdict
from services.registry.rosters.models import Roster, RosterFinding
from shared import crypto, job_rows, jobs
from shared.auth import Caller
from shared.db import in_divisions

FILE_PURPOSE = "registry.roster_file"
CONTENT_PURPOSE = "registry.roster_household"

TAKEN = (Verdict.ACCEPTED, Verdict.CHANGED, Verdict.UNCHANGED)
"""Verdicts of households that stand in the registry as the sheet says (or would, in a dry run)."""


class Upload(BaseModel):
    """One uploaded roster without its file; ``caller`` is who uploaded it, as they were then."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    roster_id: UUID
    job_id: UUID
    division_code: str
    county_code: str
    dry_run: bool
    decided_on: date
    rows: int
    created_at: datetime
    caller: Caller


class Figures(BaseModel):
    """What a roster came to: households by verdict, and what the taken ones amount to."""

    households: int
    verdicts: dict[Verdict, int]
    warned: int
    absent: int
    taken_households: int
    taken_people: int
    taken_by_category: dict[str, int]


async def wait_for_child(session: AsyncSession) -> None:
    """Let this transaction idle while a child works, longer than a request that hangs may."""
    await session.execute(_WAIT)


_WAIT = text("SELECT set_config('idle_in_transaction_session_timeout', '10min', true)")


async def load(
    session: AsyncSession, roster_id: UUID, *, divisions: Sequence[str]
) -> Upload | None:
    """The upload of this id in ``divisions``, or None."""
    rows = await session.execute(_uploads(divisions).where(Roster.roster_id == roster_id))
    row = rows.mappings().first()
    return None if row is None else _upload(row)


async def list_uploads(
    session: AsyncSession, *, divisions: Sequence[str], after: UUID | None, limit: int
) -> list[Upload]:
    """Uploads in ``divisions``, newest first, after one of them."""
    query = _uploads(divisions).order_by(Roster.roster_id.desc()).limit(limit)
    if after is not None:
        query = query.where(Roster.roster_id < after)
    return [_upload(row) for row in (await session.execute(query)).mappings()]


async def file_of(session: AsyncSession, roster_id: UUID) -> bytes:
    """The workbook as it was uploaded; the caller has been allowed to see the roster."""
    query = select(Roster.file_encrypted).where(Roster.roster_id == roster_id)
    sealed = (await session.execute(query)).scalar_one()
    return crypto.decrypt_bytes(sealed, purpose=FILE_PURPOSE)


async def figures(session: AsyncSession, roster_id: UUID, *, divisions: Sequence[str]) -> Figures:
    """The counts of a roster in ``divisions`` as far as it has come."""
    row = RosterFinding
    query = (
        select(
            row.verdict,
            row.category,
            func.count().label("households"),
            func.sum(row.people).label("people"),
            func.count().filter(row.warned).label("warned"),
        )
        .where(row.roster_id == roster_id)
        .where(in_divisions(row.division_code, divisions))
        .group_by(row.verdict, row.category)
        .order_by(row.verdict, row.category)
    )
    return _figures((await session.execute(query)).mappings().all())


def _figures(groups: Sequence[RowMapping]) -> Figures:
    verdicts: dict[Verdict, int] = {}
    categories: dict[str, int] = {}
    for group in groups:
        verdict = Verdict(group["verdict"])
        verdicts[verdict] = verdicts.get(verdict, 0) + group["households"]
        if verdict in TAKEN:
            category = group["category"]
            categories[category] = categories.get(category, 0) + group["households"]
    absent = verdicts.pop(Verdict.ABSENT, 0)
    listed = [group for group in groups if group["verdict"] != Verdict.ABSENT]
    return Figures(
        households=sum(group["households"] for group in listed),
        verdicts=verdicts,
        warned=sum(group["warned"] for group in listed),
        absent=absent,
        taken_households=sum(categories.values()),
        taken_people=sum(group["people"] for group in listed if group["verdict"] in TAKEN),
        taken_by_category=categories,
    )


async def report_rows(
    session: AsyncSession,
    roster_id: UUID,
    *,
    divisions: Sequence[str],
    verdict: Verdict | None = None,
    severity: Severity | None = None,
    after: int = -1,
    limit: int | None = None,
) -> Sequence[RowMapping]:
    """Rows of the report in the order of the sheet, absent households last.

    ``severity`` WARN keeps what an officer is asked to look at.
    """
    row = RosterFinding
    query = (
        select(*_REPORTED)
        .where(row.roster_id == roster_id, row.ordinal > after)
        .where(in_divisions(row.division_code, divisions))
        .order_by(row.ordinal)
        .limit(limit)
    )
    if verdict is not None:
        query = query.where(row.verdict == verdict.value)
    if severity is Severity.WARN:
        query = query.where(row.warned)
    return (await session.execute(query)).mappings().all()


_REPORTED = (
    RosterFinding.ordinal,
    RosterFinding.division_code,
    RosterFinding.first_row,
    RosterFinding.last_row,
    RosterFinding.serial,
    RosterFinding.head_name,
    RosterFinding.people,
    RosterFinding.category,
    RosterFinding.verdict,
    RosterFinding.warned,
    RosterFinding.household_id,
    RosterFinding.findings,
)

_UPLOAD = (
    Roster.roster_id,
    Roster.job_id,
    Roster.division_code,
    Roster.county_code,
    Roster.dry_run,
    Roster.decided_on,
    Roster.rows,
    Roster.created_at,
)
_UPLOADER = (
    Roster.uploaded_sub,
    Roster.uploaded_officer,
    Roster.uploaded_bureau,
    Roster.uploaded_unit,
    Roster.uploaded_divisions,
)


def _uploads(divisions: Sequence[str]) -> Select[Any]:
    columns: tuple[InstrumentedAttribute[Any], ...] = (*_UPLOAD, *_UPLOADER)
    return select(*columns).where(in_divisions(Roster.division_code, divisions))


def _upload(row: RowMapping) -> Upload:
    caller = Caller(
        sub=row["uploaded_sub"],
        officer_id=row["uploaded_officer"],
        bureau=row["uploaded_bureau"],
        unit=row["uploaded_unit"],
        divisions=tuple(row["uploaded_divisions"]),
    )
    return Upload(caller=caller, **{column.key: row[column.key] for column in _UPLOAD})


async def jobs_of(session: AsyncSession, uploads: Sequence[Upload]) -> dict[UUID, jobs.Job]:
    """The job of each upload, by roster."""
    wanted = job_rows.JOBS.c.job_id.in_([upload.job_id for upload in uploads])
    rows = await session.execute(job_rows.read().where(wanted))
    found = {row["job_id"]: jobs.Job(**row) for row in rows.mappings()}
    return {one.roster_id: found[one.job_id] for one in uploads if one.job_id in found}
