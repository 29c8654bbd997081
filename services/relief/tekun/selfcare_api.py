"""How assessments are entered, confirmed and asked for, and changes reported (TK 21-23)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from services.relief.tekun import assessing, records
from services.relief.tekun.api import note_reading
from services.relief.tekun.selfcare import ChangeReason, Entry, Item, Level
from shared import api, clock
from shared.asked import AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1", tags=["tekun"])

Reader = Annotated[Caller, requires("relief.tekun:read")]
Writer = Annotated[Caller, requires("relief.tekun:write")]
Confirmer = Annotated[Caller, requires("relief.tekun:confirm")]


class Outcome(StrEnum):
    """Whether a person did an item alone."""

    ABLE = "able"
    FAILED = "failed"


class ItemsIn(BaseModel):
    """All six items of TK 21."""

    model_config = ConfigDict(extra="forbid")

    eat: Outcome
    dress: Outcome
    bed: Outcome
    toilet: Outcome
    walk: Outcome
    bathe: Outcome

    def failed(self) -> tuple[Item, ...]:
        """Those that were not done, in the order of the law."""
        return tuple(item for item in Item if getattr(self, item.value) is Outcome.FAILED)


class AssessmentIn(BaseModel):
    """An assessment: its paper by number, or by the attachment that another service holds."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    person_id: UUID
    assessed_on: date
    items: ItemsIn
    document_number: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    attachment_id: UUID | None = None

    def entry(self) -> Entry:
        """As the rules take it."""
        return Entry(
            person_id=self.person_id,
            assessed_on=self.assessed_on,
            failed=self.items.failed(),
            document_number=self.document_number,
            attachment_id=self.attachment_id,
        )


class AssessmentView(BaseModel):
    """An assessment as entered; in force from the month after ``confirmed_on``."""

    model_config = ConfigDict(from_attributes=True)

    assessment_id: UUID
    household_id: UUID
    person_id: UUID
    division_code: str
    assessed_on: date
    failed: list[Item]
    level: Level
    document_number: str | None
    attachment_id: UUID | None
    assessor: str
    entered_at: datetime
    confirmed_by: str | None
    confirmed_on: date | None
    withdrawn_at: datetime | None


class ChangeIn(BaseModel):
    """That a person's ability has changed, and when it was reported."""

    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    reason: ChangeReason
    reported_on: date


class ReassessmentView(BaseModel):
    """A person to be looked at again by ``due_on``; ``due_provisional``: a year is not announced.

    ``days_late`` is 0 until the day after ``due_on``.
    """

    reassessment_id: UUID
    household_id: UUID
    person_id: UUID
    division_code: str
    reason: ChangeReason
    reported_on: date
    reported_by: str
    working_days: int
    due_on: date
    due_provisional: bool
    days_late: int


@routes.post(
    "/households/{household_id}/tekun-assessments", status_code=201, summary="Enter an assessment"
)
async def enter(
    session: SessionDep, caller: Writer, household_id: UUID, body: AssessmentIn
) -> AssessmentView:
    """Another officer confirms it. An earlier one of the person that still waits is withdrawn.

    404 ``household_unknown``; 422 ``household_not_tekun``, ``person_not_member``, ``in_future``,
    ``evidence_missing``.
    """
    assessment_id = await assessing.enter(session, caller, household_id, body.entry())
    return await _assessment(session, caller, assessment_id)


@routes.get(
    "/households/{household_id}/tekun-assessments",
    summary="Every assessment of a household's people",
)
async def of_household(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[AssessmentView]:
    """As they were entered, withdrawn ones too; 404 ``household_unknown``."""
    await assessing.known_household(session, caller, household_id)
    rows = await records.assessments_of(session, household_id, caller.divisions)
    await note_reading(session, caller, rows[:1])
    return [AssessmentView.model_validate(row) for row in rows]


@routes.post("/tekun-assessments/{assessment_id}/confirm", summary="Confirm a colleague's")
async def confirm(session: SessionDep, caller: Confirmer, assessment_id: UUID) -> AssessmentView:
    """It counts from next month on, and the household is settled by a job.

    404 ``assessment_unknown``; 409 ``same_officer``, ``assessment_withdrawn``,
    ``assessment_confirmed``.
    """
    await assessing.confirm(session, caller, assessment_id)
    return await _assessment(session, caller, assessment_id)


@routes.get("/tekun-assessments/waiting", summary="Assessments still to be confirmed")
async def waiting(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[AssessmentView]:
    within = (caller.divisions, prefixes(division))
    rows = await records.waiting_assessments(
        session, within, after=after_id(cursor), limit=limit + 1
    )
    await note_reading(session, caller, rows[:limit])
    return page(rows, limit, "assessment_id", AssessmentView)


@routes.post("/households/{household_id}/tekun-changes", status_code=201, summary="Report a change")
async def report_change(
    session: SessionDep, caller: Writer, household_id: UUID, body: ChangeIn
) -> ReassessmentView:
    """The person is to be looked at again within ten working days, or fewer by parameter.

    404 ``household_unknown``; 409 ``reassessment_open``, ``assessed_since``; 422
    ``household_not_tekun``, ``person_not_member``, ``in_future``.
    """
    reassessment_id = await assessing.report_change(session, caller, household_id, **dict(body))
    return _late(await records.reassessment_by_id(session, reassessment_id))


@routes.get("/tekun-reassessments", summary="Changes still to be looked at")
async def reassessments(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    overdue: Annotated[bool, Query(description="only those whose last day is gone")] = False,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[ReassessmentView]:
    rows = await records.reassessments(
        session,
        (caller.divisions, prefixes(division)),
        due_before=clock.today() if overdue else None,
        after=after_id(cursor),
        limit=limit + 1,
    )
    await note_reading(session, caller, rows[:limit])
    shown = [_late(row).model_dump() for row in rows]
    return page(shown, limit, "reassessment_id", ReassessmentView)


async def _assessment(session: SessionDep, caller: Caller, assessment_id: UUID) -> AssessmentView:
    row = await records.assessment_by_id(session, assessment_id, caller.divisions)
    return AssessmentView.model_validate(row)


def _late(row: RowMapping) -> ReassessmentView:
    days_late = max(0, (clock.today() - row["due_on"]).days)
    return ReassessmentView.model_validate({**row, "days_late": days_late})
