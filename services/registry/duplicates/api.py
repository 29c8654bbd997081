"""People who may be registered twice: listed, dismissed or confirmed by an officer."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.registry.duplicates import actions, queries
from services.registry.duplicates.rules import CandidateState, Confirmation
from shared import api, audit
from shared.asked import DIVISION_PATTERN, AskedCursor, AskedDivision, after_id, page, prefixes
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/duplicates", tags=["duplicates"])
Reader = Annotated[Caller, requires("registry.duplicates:read")]
Decider = Annotated[Caller, requires("registry.duplicates:decide")]
Reason = Annotated[str, Field(max_length=2000)]
Strict = ConfigDict(extra="forbid")


class CandidateOut(BaseModel):
    """Two people who may be one; ``grounds`` are ``name_birth_date`` and ``phone``."""

    candidate_id: UUID
    first_person_id: UUID
    second_person_id: UUID
    division_code: str
    grounds: list[str]
    state: CandidateState
    opened_on: date
    decided_on: date | None
    decided_by: str | None
    reason: str


class SearchIn(BaseModel):
    """The division whose people are all looked at."""

    model_config = Strict

    division: Annotated[str, Field(pattern=DIVISION_PATTERN)]


class SearchOut(BaseModel):
    """The job that looks; follow it under ``/v1/jobs``."""

    job_id: UUID


class DismissalIn(BaseModel):
    """Why they are two."""

    model_config = Strict

    reason: Reason


class ConfirmationIn(BaseModel):
    """They are one: see Confirmation."""

    model_config = Strict

    kept_person_id: UUID
    valid_from: date
    merge_households: bool
    new_head_person_id: UUID | None = None
    reason: Reason


@routes.get("", summary="People who may be one, by division and state")
async def list_duplicates(
    session: SessionDep,
    caller: Reader,
    *,
    division: AskedDivision = None,
    state: Annotated[CandidateState | None, Query()] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[CandidateOut]:
    rows = await queries.page(
        session,
        divisions=caller.divisions,
        within=prefixes(division),
        state=state,
        after=after_id(cursor),
        limit=limit + 1,
    )
    await audit.record_rows(
        session,
        caller,
        rows[:limit],
        action="duplicate.read",
        subject_type="duplicate_candidate",
        subject="candidate_id",
    )
    return page(rows, limit, "candidate_id", CandidateOut)


@routes.post("/search", status_code=202, summary="Look at everybody of a division")
async def search(
    session: SessionDep, caller: Decider, body: SearchIn, answer: Response
) -> SearchOut:
    job = await actions.order_search(session, caller, body.division)
    answer.headers["Location"] = f"/v1/jobs/{job.job_id}"
    return SearchOut(job_id=job.job_id)


@routes.post("/{candidate_id}/dismiss", summary="They are two people")
async def dismiss(
    session: SessionDep, caller: Decider, candidate_id: UUID, body: DismissalIn
) -> CandidateOut:
    await actions.dismiss(session, caller, candidate_id, body.reason)
    return await _one(session, caller, candidate_id)


@routes.post("/{candidate_id}/confirm", summary="They are one person")
async def confirm(
    session: SessionDep, caller: Decider, candidate_id: UUID, body: ConfirmationIn
) -> CandidateOut:
    await actions.confirm(session, caller, candidate_id, Confirmation(**dict(body)))
    return await _one(session, caller, candidate_id)


async def _one(session: SessionDep, caller: Caller, candidate_id: UUID) -> CandidateOut:
    row = await queries.one(session, candidate_id, divisions=caller.divisions)
    return CandidateOut.model_validate(dict(row or {}))
