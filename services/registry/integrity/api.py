"""How integrity records are entered, confirmed and lifted; every look at them is noted (R27)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from services.registry.households import sealed, views
from services.registry.integrity import actions, queries
from services.registry.integrity.rules import Finding, RecordKind, Stage, stands
from services.registry.verification.sources import SubjectKind
from shared import api, clock
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

household_routes = api.router("/v1/households/{household_id}/integrity-records", tags=["integrity"])
routes = api.router("/v1/integrity-records/{record_id}", tags=["integrity"])
Reader = Annotated[Caller, requires("registry.integrity:read")]
Writer = Annotated[Caller, requires("registry.integrity:write")]
Strict = ConfigDict(extra="forbid")
Words = Annotated[str, Field(max_length=2000)]
Paper = Annotated[str, Field(max_length=200, examples=["松民认〔2026〕12号"])]


class RecordIn(BaseModel):
    """What was found about a member, or an obligor by obligor_id; counts to ``valid_until``."""

    model_config = Strict

    subject_id: UUID
    kind: RecordKind
    found_on: date
    valid_until: date
    document: Paper
    words: Words


class ReasonIn(BaseModel):
    """Why, in words."""

    model_config = Strict

    reason: Words


class LiftIn(BaseModel):
    """On which paper a record is lifted, and why."""

    model_config = Strict

    document: Paper
    reason: Words


class RecordOut(BaseModel):
    """A record; ``standing`` says whether it counts today."""

    record_id: UUID
    household_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    kind: RecordKind
    found_on: date
    valid_until: date
    document: str
    words: str
    stage: Stage
    standing: bool
    entered_by: str
    entered_on: date
    confirmed_by: str | None
    confirmed_on: date | None
    withdrawn_by: str | None
    withdrawn_on: date | None
    withdrawn_reason: str
    lift_entered_by: str | None
    lift_entered_on: date | None
    lift_document: str
    lift_reason: str
    lifted_by: str | None
    lifted_on: date | None


@household_routes.post("", status_code=201, summary="Enter a finding of dishonesty (诚信记录)")
async def enter_record(
    session: SessionDep, caller: Writer, household_id: UUID, body: RecordIn
) -> RecordOut:
    finding = Finding(**{name: value for name, value in body if name != "subject_id"})
    record_id = await actions.enter(session, caller, household_id, body.subject_id, finding)
    return await _one(session, caller, record_id)


@household_routes.get("", summary="The integrity records found at a household")
async def list_records(session: SessionDep, caller: Reader, household_id: UUID) -> list[RecordOut]:
    await views.looked_at(session, caller, household_id, "household.integrity_read")
    rows = await queries.of_household(session, household_id, divisions=caller.divisions)
    return [_shown(row) for row in rows]


@routes.post("/confirm", summary="Confirm a record that a colleague entered")
async def confirm_record(session: SessionDep, caller: Writer, record_id: UUID) -> RecordOut:
    await actions.confirm(session, caller, record_id)
    return await _one(session, caller, record_id)


@routes.post("/withdraw", summary="Take a record back before it was confirmed")
async def withdraw_record(
    session: SessionDep, caller: Writer, record_id: UUID, body: ReasonIn
) -> RecordOut:
    await actions.withdraw(session, caller, record_id, body.reason)
    return await _one(session, caller, record_id)


@routes.post("/lift", summary="Enter that a record is to be lifted")
async def lift_record(
    session: SessionDep, caller: Writer, record_id: UUID, body: LiftIn
) -> RecordOut:
    await actions.enter_lift(session, caller, record_id, **dict(body))
    return await _one(session, caller, record_id)


@routes.post("/withdraw-lift", summary="Take back a lift that was not confirmed yet")
async def withdraw_lift(session: SessionDep, caller: Writer, record_id: UUID) -> RecordOut:
    await actions.withdraw_lift(session, caller, record_id)
    return await _one(session, caller, record_id)


@routes.post("/confirm-lift", summary="Lift a record whose lift a colleague entered")
async def confirm_lift(session: SessionDep, caller: Writer, record_id: UUID) -> RecordOut:
    await actions.confirm_lift(session, caller, record_id)
    return await _one(session, caller, record_id)


async def _one(session: SessionDep, caller: Caller, record_id: UUID) -> RecordOut:
    row = await queries.one(session, record_id, divisions=caller.divisions)
    if row is None:
        raise NotFound("record_not_found", "no such integrity record in the caller's divisions")
    return _shown(row)


def _shown(row: RowMapping) -> RecordOut:
    stage = queries.signatures_of(row).stage
    days = {"found_on": row["found_on"], "valid_until": row["valid_until"]}
    return RecordOut.model_validate(
        {
            **row,
            "words": sealed.show_words(row["words_encrypted"]),
            "withdrawn_reason": sealed.show_words(row["withdrawn_reason_encrypted"]),
            "lift_reason": sealed.show_words(row["lift_reason_encrypted"]),
            "stage": stage,
            "standing": stands(stage, **days, on=clock.today()),
        }
    )
