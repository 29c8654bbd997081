"""How to hand in daily settlement files and ask what each bill is relieved by, and why."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.medical import lists, receiving, rules
from services.relief.medical.explanations import explain
from services.relief.medical.lines import MOST_BYTES, MOST_LINES, read_line
from services.relief.medical.lists import GrantFilter
from services.relief.medical.receiving import Result
from shared import api, audit, clock
from shared.asked import AskedCursor, AskedDivision, Month, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import Category
from shared.db import SessionDep
from shared.errors import NotFound, TooLarge

routes = api.router("/v1", tags=["medical"])

Partner = Annotated[Caller, requires("relief.settlements:write")]
Reader = Annotated[Caller, requires("relief.medical:read")]
_BODY = {
    "required": True,
    "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
}
QUARTER = r"^2[0-9]{3}-Q[1-4]$"


class LineFault(BaseModel):
    """What is wrong with a line, where in its JSON, in words for an officer."""

    model_config = ConfigDict(from_attributes=True)

    where: str
    code: str
    message: str


class LineVerdict(BaseModel):
    """What became of a line; ``at`` counts the lines of the body from 1."""

    model_config = ConfigDict(from_attributes=True)

    at: int
    settlement_no: str | None
    result: Result
    settlement_id: UUID | None
    faults: list[LineFault]


class Verdicts(BaseModel):
    """The verdicts in the order of the lines; ``job_id`` decides on what was stored."""

    file_id: UUID
    job_id: UUID | None
    counts: dict[Result, int]
    lines: list[LineVerdict]


class MedicalGrantView(BaseModel):
    """One amount in yuan: what a decision adds to its settlement, and what it then comes to.

    ``number`` 1 is the assistance, later ones are supplementary; a negative ``amount`` takes back.
    """

    model_config = ConfigDict(from_attributes=True)

    grant_id: UUID
    settlement_id: UUID
    settlement_no: str
    discharged_on: date
    number: int
    person_id: UUID
    household_id: UUID
    division_code: str
    month: Month
    amount: Decimal
    total: Decimal
    reason: rules.Reason
    category: Category | None
    decided_on: date
    decided_at: datetime
    statement_id: UUID | None
    status: AssistanceStatus
    paid_on: date | None
    version: int


class ExplainedMedicalGrant(MedicalGrantView):
    """An amount with what it rests on: bill, standing, figures, steps, and a Chinese text."""

    explanation: dict[str, Any]


class SumView(BaseModel):
    """What a county's quarter comes to for one category."""

    model_config = ConfigDict(from_attributes=True)

    county: str
    category: Category | None
    amounts: int
    settlements: int
    total_yuan: Decimal
    paid_yuan: Decimal


class QuarterView(BaseModel):
    """A quarter's sums by county and category; they add up to the totals, to the fen."""

    quarter: str
    division: str | None
    total_yuan: Decimal
    paid_yuan: Decimal
    items: list[SumView]


@routes.post(
    "/medical-settlements",
    status_code=202,
    summary="A day's hospital settlements, one JSON object a line; each line counts once",
    openapi_extra={api.MAX_BODY: MOST_BYTES, "requestBody": _BODY},
)
async def receive(session: SessionDep, caller: Partner, request: Request) -> Verdicts:
    """A verdict a line: ``stored``, ``unchanged`` or ``refused`` with its faults.

    413 ``body_too_large``, ``file_too_long``; 422 ``file_empty``. What is stored is decided on by
    the job ``job_id``.
    """
    raw = [line for line in (await request.body()).splitlines() if line.strip()]
    if len(raw) > MOST_LINES:
        raise TooLarge("file_too_long", f"send at most {MOST_LINES:,} lines at once: split it")
    today = clock.today()
    lines = [read_line(at, line, today=today) for at, line in enumerate(raw, start=1)]
    received = await receiving.receive(session, caller, lines)
    verdicts = [LineVerdict.model_validate(each) for each in received.verdicts]
    counts = {result: sum(each.result is result for each in verdicts) for result in Result}
    return Verdicts(file_id=received.file_id, job_id=received.job_id, counts=counts, lines=verdicts)


@routes.get("/medical-grants", summary="Amounts by division, household, person or month")
async def grants(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    household: UUID | None = None,
    person: UUID | None = None,
    month: Annotated[Month | None, Query(description="the month of discharge")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[MedicalGrantView]:
    """By grant id, which ascends with time."""
    rows = await lists.grants(
        session,
        GrantFilter(household_id=household, person_id=person, month=month),
        (caller.divisions, prefixes(division)),
        after=after_id(cursor),
        limit=limit + 1,
    )
    await note_reading(session, caller, rows[:limit])
    return page(rows, limit, "grant_id", MedicalGrantView)


@routes.get("/medical-grants/summary", summary="A quarter's sums by county and category")
async def summary(
    session: SessionDep,
    caller: Reader,
    quarter: Annotated[str, Query(pattern=QUARTER, examples=["2026-Q2"])],
    division: AskedDivision = None,
) -> QuarterView:
    """By the day of the decision; for the reconciliation with finance ([MA 16])."""
    first = date(int(quarter[:4]), int(quarter[-1]) * 3 - 2, 1)
    last = date.fromordinal(clock.add_months(first, 3).toordinal() - 1)
    rows = await lists.sums(session, first, last, (caller.divisions, prefixes(division)))
    items = [SumView.model_validate(row) for row in rows]
    return QuarterView(
        quarter=quarter,
        division=division,
        total_yuan=sum((item.total_yuan for item in items), Decimal("0.00")),
        paid_yuan=sum((item.paid_yuan for item in items), Decimal("0.00")),
        items=items,
    )


@routes.get("/medical-grants/{grant_id}", summary="One amount and its explanation")
async def grant(session: SessionDep, caller: Reader, grant_id: UUID) -> ExplainedMedicalGrant:
    """404 ``medical_grant_unknown`` where there is none that the caller may see."""
    row = await lists.grant_by_id(session, grant_id, caller.divisions)
    if row is None:
        raise NotFound("medical_grant_unknown", f"no medical assistance {grant_id}")
    await note_reading(session, caller, [row])
    explained = explain(row["basis"], amount=row["amount"], total=row["total"])
    return ExplainedMedicalGrant.model_validate({**row, "explanation": explained})


async def note_reading(session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]) -> None:
    """A bill is health data: every look at one is written down."""
    await audit.record_rows(
        session, caller, rows, action="medical.read", subject_type="person", subject="person_id"
    )
