"""How to report a child missing at school, follow its case and close it."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncSession

from services.education.dropout import actions, queries
from services.education.dropout.rules import Kind, Outcome, Reporter
from services.education.dropout.views import CaseView, views
from shared import api, audit
from shared.asked import AskedCursor, AskedDivision, after_id, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

routes = api.router("/v1", tags=["dropout"])

Reader = Annotated[Caller, requires("education.dropout:read")]
Writer = Annotated[Caller, requires("education.dropout:write")]


class DropoutReport(BaseModel):
    """A child of compulsory age is missing at school from a day on."""

    model_config = ConfigDict(extra="forbid")

    person_id: UUID
    absent_since: date
    reported_by: Reporter
    kind: Kind


class Closing(BaseModel):
    """How a case ended; ``proof`` is the reference of a paper, never a name or a number."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    outcome: Outcome
    proof: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    closed_on: date


@routes.post("/dropouts", status_code=201, summary="Report a child missing at school")
async def open_case(
    session: SessionDep, caller: Writer, report: DropoutReport, response: Response
) -> CaseView:
    """Opens the child's case and turns its household's guarantee of education red.

    404 ``person_unknown``; 409 ``dropout_open``; 422 ``not_of_compulsory_age`` with the reason,
    ``absent_since_in_future``, ``absent_since_before_birth``.
    """
    case_id = await actions.open_case(
        session,
        caller,
        report.person_id,
        absent_since=report.absent_since,
        reported_by=report.reported_by,
        kind=report.kind,
    )
    response.headers["Location"] = f"/v1/dropouts/{case_id}"
    return await _case(session, caller, case_id)


@routes.post("/dropouts/{case_id}/close", summary="Close a case with its proof")
async def close_case(
    session: SessionDep, caller: Writer, case_id: UUID, closing: Closing
) -> CaseView:
    """404 ``dropout_unknown``; 409 ``dropout_closed``; 422 ``proof_missing`` and
    ``closed_on_impossible``, both listed where both hold.
    """
    await actions.close_case(
        session,
        caller,
        case_id,
        outcome=closing.outcome,
        proof=closing.proof,
        closed_on=closing.closed_on,
    )
    return await _case(session, caller, case_id)


@routes.get("/dropouts", summary="Dropout cases by division")
async def list_cases(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 100,
) -> api.Page[CaseView]:
    """By case id, which ascends with time."""
    within = (caller.divisions, prefixes(division))
    rows = await queries.cases(
        session, within, is_open=is_open, after=after_id(cursor), limit=limit + 1
    )
    await _note_reading(session, caller, rows[:limit])
    more = api.encode_cursor([rows[limit - 1]["case_id"]]) if len(rows) > limit else None
    return api.Page(items=await views(session, rows[:limit]), next_cursor=more)


@routes.get("/dropouts/{case_id}", summary="One case with the step that is due")
async def one_case(session: SessionDep, caller: Reader, case_id: UUID) -> CaseView:
    """404 ``dropout_unknown`` where there is none that the caller may see."""
    return await _case(session, caller, case_id)


async def _case(session: AsyncSession, caller: Caller, case_id: UUID) -> CaseView:
    row = await queries.case_by_id(session, case_id, caller.divisions)
    if row is None:
        raise NotFound("dropout_unknown", f"no dropout case {case_id}")
    await _note_reading(session, caller, [row])
    (view,) = await views(session, [row])
    return view


async def _note_reading(session: AsyncSession, caller: Caller, rows: Sequence[RowMapping]) -> None:
    await audit.record_rows(
        session, caller, rows, action="dropout.read", subject_type="dropout_case", subject="case_id"
    )
