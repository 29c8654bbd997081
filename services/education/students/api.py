"""How to ask for pupils' files and tasks, and how a school reports an enrolment."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.aid import queries as aid
from services.education.aid.views import AidView
from services.education.dropout import queries as dropout
from services.education.dropout.views import CaseView
from services.education.dropout.views import views as case_views
from services.education.students import enrolments, queries
from services.education.students.files import FileState
from services.education.students.rules import Doubt
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.contracts.registry import SchoolStage
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["students"])

Reader = Annotated[Caller, requires("education.students:read")]
Writer = Annotated[Caller, requires("education.students:write")]


def _attended(stage: SchoolStage) -> SchoolStage:
    if stage is SchoolStage.NOT_AT_SCHOOL:
        raise ValueError("an enrolment names a stage at school")
    return stage


AttendedStage = Annotated[SchoolStage, AfterValidator(_attended)]


class StudentView(BaseModel):
    """One pupil's file. ``stage_known`` is false while the registry says no stage any more."""

    model_config = ConfigDict(from_attributes=True)

    person_id: UUID
    household_id: UUID
    division_code: str
    stage: SchoolStage
    stage_known: bool
    state: FileState
    left_behind: bool | None
    school_code: str | None
    opened_on: date
    left_on: date | None


class EntryView(BaseModel):
    """One line of a file's history; ``not_at_school`` ends a stay at school."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    from_day: date = Field(serialization_alias="from", validation_alias="from_day")
    household_id: UUID
    stage: SchoolStage


class StudentDetail(StudentView):
    """A file with its history, its aid and its dropout cases, each in order of time."""

    history: list[EntryView]
    aid: list[AidView]
    cases: list[CaseView]


class SummaryView(BaseModel):
    """A division's pupils: files by stage (enrolled), members out of school, tasks open."""

    division: str | None
    by_stage: dict[SchoolStage, int]
    enrolled: int
    left: int
    out_of_school: int
    tasks: int


class TaskView(BaseModel):
    """Something to find out about a member of compulsory age."""

    task_id: UUID
    task: Literal["find_out"] = "find_out"
    reason: Doubt
    person_id: UUID
    household_id: UUID
    division_code: str
    since: date


class EnrolmentReport(BaseModel):
    """A child is enrolled at a school from a day on."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    stage: AttendedStage
    from_day: date = Field(alias="from")
    school_code: Annotated[str, Field(pattern="^[0-9A-Za-z]{1,20}$")] | None = None


class EnrolmentView(BaseModel):
    """The enrolment as it was kept, and the dropout case that it closed."""

    model_config = ConfigDict(populate_by_name=True)

    enrolment_id: UUID
    person_id: UUID
    stage: SchoolStage
    from_day: date = Field(serialization_alias="from", validation_alias="from_day")
    school_code: str | None
    closed_case_id: UUID | None


@routes.get("/students", summary="Pupils' files")
async def list_students(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    stage: SchoolStage | None = None,
    state: FileState | None = None,
    household: UUID | None = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[StudentView]:
    """By person id."""
    asked = queries.FileFilter(division=division, stage=stage, state=state, household_id=household)
    rows = await queries.files(
        session, asked, caller.divisions, after=after_id(cursor), limit=limit + 1
    )
    await _note_reading(session, caller, rows[:limit])
    return page(rows, limit, "person_id", StudentView)


@routes.get("/students/summary", summary="A division's figures")
async def summary(
    session: SessionDep, caller: Reader, division: AskedDivision = None
) -> SummaryView:
    """Of all that the token covers when no division is named."""
    figures = await queries.summary(session, (caller.divisions, prefixes(division)))
    return SummaryView.model_validate({"division": division, **asdict(figures)})


@routes.get("/students/{person_id}", summary="One file with its history, aid and cases")
async def one_student(session: SessionDep, caller: Reader, person_id: UUID) -> StudentDetail:
    """404 ``student_unknown`` where there is no file that the caller may see."""
    row = await queries.file_of(session, person_id, caller.divisions)
    if row is None:
        raise NotFound("student_unknown", f"no student file of {person_id}")
    await _note_reading(session, caller, [row])
    cases = await dropout.cases_of(session, person_id, caller.divisions)
    return StudentDetail.model_validate(
        {
            **row,
            "history": await queries.history_of(session, person_id, caller.divisions),
            "aid": await aid.aid_of(session, person_id, caller.divisions),
            "cases": await case_views(session, cases),
        }
    )


@routes.post(
    "/students/{person_id}/enrolments", status_code=201, summary="A school found an enrolment"
)
async def report_enrolment(
    session: SessionDep, caller: Writer, person_id: UUID, report: EnrolmentReport
) -> EnrolmentView:
    """Counts until the registry says something new about the person.

    An open dropout case is closed by it, unless the enrolment began before the absence.
    404 ``person_unknown``; 422 ``from_impossible``.
    """
    reported = await enrolments.report_enrolment(
        session,
        caller,
        person_id,
        stage=report.stage,
        from_day=report.from_day,
        school_code=report.school_code,
    )
    given = {"person_id": person_id, **report.model_dump(), **asdict(reported)}
    return EnrolmentView.model_validate(given)


@routes.get("/school-tasks", summary="Members of whom it is not known whether they are at school")
async def list_tasks(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[TaskView]:
    """By task id, which ascends with time. They turn no guarantee red."""
    within = (caller.divisions, prefixes(division))
    rows = await queries.tasks(session, within, after=after_id(cursor), limit=limit + 1)
    await _note_reading(session, caller, rows[:limit])
    more = api.encode_cursor([rows[limit - 1]["gap_id"]]) if len(rows) > limit else None
    items = [
        TaskView.model_validate({**row, "task_id": row["gap_id"], "reason": row["doubt"]})
        for row in rows[:limit]
    ]
    return api.Page(items=items, next_cursor=more)


async def _note_reading(session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]) -> None:
    """Where a child goes to school is personal data: every look at it is written down."""
    await audit.record_rows(
        session, caller, rows, action="students.read", subject_type="student", subject="person_id"
    )
