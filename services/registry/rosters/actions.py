"""What may be done with rosters: take one in, read it into report rows, list who is absent.

Carrying one out, a chunk at a time, stands in ``importing``. Only these two write rosters.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.rosters import placing
from services.registry.rosters.columns import Severity, Verdict
from services.registry.rosters.facts import Finding
from services.registry.rosters.models import Roster, RosterFinding
from services.registry.rosters.queries import CONTENT_PURPOSE, FILE_PURPOSE, Upload
from services.registry.rosters.reading import Read, Survey
from services.registry.stewards.actions import require_steward
from shared import audit, clock, crypto, divisions, identity, jobs
from shared.auth import Caller
from shared.contracts.registry import State
from shared.errors import Forbidden

JOB = "import_roster"

_STAGED_AT_ONCE = 1_000


async def receive(
    session: AsyncSession, caller: Caller, content: bytes, survey: Survey, *, dry_run: bool
) -> tuple[UUID, jobs.Job]:
    """Keep the workbook, encrypted, and queue its job; gives the roster's id and the job.

    Raises UnusableWorkbookError for townships of two counties, Forbidden for a county that the
    caller has nothing of, and for a token without an officer: an import is a decision. Raises
    Conflict where nobody answers for the county's data; a dry run only looks.
    """
    if not caller.officer_id:
        raise Forbidden("officer_missing", "导入花名册须由具名经办人进行：令牌中没有 officer_id。")
    known = await divisions.directory(session)
    counties = {one.code: one.name for one in known.divisions if one.level == "county"}
    county = placing.county_of_workbook(survey.townships, known, counties)
    place = _own_part_of(county, caller, counties[county])
    if not dry_run:
        await require_steward(session, [county])
    roster_id = identity.new_id()
    job = await jobs.enqueue(session, caller, JOB, {"roster_id": str(roster_id)}, place)
    await session.execute(
        insert(Roster).values(
            roster_id=roster_id,
            division_code=place,
            county_code=county,
            job_id=job.job_id,
            dry_run=dry_run,
            decided_on=clock.today(),
            rows=survey.rows,
            file_encrypted=crypto.encrypt_bytes(content, purpose=FILE_PURPOSE),
            uploaded_sub=caller.sub,
            uploaded_officer=caller.officer_id,
            uploaded_bureau=caller.bureau,
            uploaded_unit=caller.unit,
            uploaded_divisions=list(caller.divisions),
            created_at=clock.now(),
        )
    )
    await audit.record(
        session,
        caller,
        action="roster.upload",
        subject_type="roster",
        subject_id=roster_id,
        division_code=place,
        detail={"dry_run": dry_run, "households": survey.households},
    )
    return roster_id, job


def _own_part_of(county: str, caller: Caller, name: str) -> str:
    """The county, or the first of the caller's townships in it: who may later see the roster."""
    if caller.covers(county):
        return county
    parts = sorted(prefix for prefix in caller.divisions if prefix.startswith(county))
    if not parts:
        raise Forbidden(
            "workbook_of_another_county", f"这是{name}的花名册，不在您的管辖区域内，不能导入。"
        )
    return parts[0]


async def stage(session: AsyncSession, upload: Upload, households: Sequence[Read]) -> None:
    """Write one report row a household, in the order of the sheet, with all that it said sealed.

    Rejected ones have their verdict already. A row outside the caller's divisions is kept where the
    roster is kept, or its uploader could not read why it was refused; without its head's name.
    """
    for start in range(0, len(households), _STAGED_AT_ONCE):
        page = households[start : start + _STAGED_AT_ONCE]
        rows = [_staged(upload, at, read) for at, read in enumerate(page, start=start)]
        await session.execute(insert(RosterFinding), rows)


def _staged(upload: Upload, ordinal: int, read: Read) -> dict[str, object]:
    mine = upload.caller.covers(read.place)
    return {
        "roster_id": upload.roster_id,
        "ordinal": ordinal,
        "division_code": read.place if mine else upload.division_code,
        "first_row": read.first_row,
        "last_row": read.last_row,
        "serial": read.serial,
        "head_name": read.head_name if mine else "",
        "people": read.people,
        "category": read.category,
        "verdict": Verdict.REJECTED if read.rejected else Verdict.PENDING,
        "warned": read.warned,
        "findings": read.findings,
        "holds": [],
        "facts_encrypted": crypto.encrypt_bytes(read.content, purpose=CONTENT_PURPOSE),
    }


async def list_absent(session: AsyncSession, upload: Upload) -> None:
    """Add a report row for every household on assistance that no row of the sheet holds (C59).

    Absence changes nothing: it is for an officer to look into. A household whose row was refused
    is not absent.
    """
    finding = Finding(
        cell="",
        code="household_absent",
        message="登记册中的在册户，本表未列，未作改动",
        severity=Severity.NOTE,
    )
    await session.execute(
        _LIST_ABSENT,
        {
            "roster_id": upload.roster_id,
            "county": upload.county_code,
            "divisions": list(upload.caller.divisions),
            "states": [state.value for state in State if state.on_assistance],
            "verdict": Verdict.ABSENT.value,
            "findings": f"[{finding.model_dump_json()}]",
        },
    )


_LIST_ABSENT = text(
    """
    WITH present AS (
        SELECT household_id AS id FROM roster_findings
        WHERE roster_id = :roster_id AND household_id IS NOT NULL
        UNION
        SELECT unnest(holds) FROM roster_findings WHERE roster_id = :roster_id
    ), listed AS (
        SELECT max(ordinal) AS last FROM roster_findings WHERE roster_id = :roster_id
    )
    INSERT INTO roster_findings (
        roster_id, ordinal, division_code, serial, head_name, people, category, verdict, warned,
        household_id, findings, holds)
    SELECT :roster_id,
           listed.last + row_number() OVER (ORDER BY household.division_code, persons.name),
           household.division_code, '', persons.name, household.n, household.category, :verdict,
           false, household.household_id, CAST(:findings AS jsonb), '{}'
    FROM households AS household
    JOIN persons ON persons.person_id = household.head_person_id
    CROSS JOIN listed
    WHERE household.division_code ^@ :county
      AND household.state = ANY(:states)
      AND EXISTS (SELECT FROM unnest(CAST(:divisions AS text[])) AS mine(prefix)
                  WHERE household.division_code ^@ mine.prefix)
      AND NOT EXISTS (SELECT FROM present WHERE present.id = household.household_id)
    """
)
