"""Moves between counties and townships: asked for, agreed on or refused, and carried out."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from services.registry.households.schemas import Village
from services.registry.transfers import actions, queries
from services.registry.transfers.rules import Agreement, TransferState
from shared import api
from shared.asked import AskedCursor, after_id, page
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/transfer-tasks", tags=["transfers"])
offer_routes = api.router("/v1/households/{household_id}/transfers", tags=["transfers"])
Reader = Annotated[Caller, requires("registry.transfers:read")]
Decider = Annotated[Caller, requires("registry.transfers:decide")]
Reason = Annotated[str, Field(max_length=2000)]
Strict = ConfigDict(extra="forbid")


class TransferTaskOut(BaseModel):
    """``division_code`` is the village that takes over, ``from_county`` the county that holds.

    ``household_id`` says that a whole household goes; ``moves_on`` from when it is let go.
    """

    task_id: UUID
    person_id: UUID
    household_id: UUID | None
    from_county: str
    division_code: str
    state: TransferState
    opened_at: datetime
    moves_on: date | None
    decided_at: datetime | None
    reason: str
    taken_over_on: date | None


class AgreementIn(BaseModel):
    """From when who goes: the person alone, or with ``whole_household`` the household as it is."""

    model_config = Strict

    moves_on: date
    whole_household: bool
    new_head_person_id: UUID | None = None
    reason: Reason = ""


class RefusalIn(BaseModel):
    """Why the person stays."""

    model_config = Strict

    reason: Reason


class OfferIn(BaseModel):
    """Where a household moves, and from when it is let go."""

    model_config = Strict

    to: Village
    moves_on: date
    reason: Reason = ""


class TakeOverIn(BaseModel):
    """The first day on which they count here and no longer there."""

    model_config = Strict

    valid_from: date


class TakenOver(BaseModel):
    """The household that changed: the one that came, or the one that the person left, if any."""

    household_id: UUID | None
    version: int
    revision: int


@routes.get("", summary="Transfers that your divisions ask for or are asked for, oldest first")
async def list_transfer_tasks(
    session: SessionDep,
    caller: Reader,
    *,
    state: Annotated[TransferState | None, Query()] = None,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[TransferTaskOut]:
    rows = await queries.page(
        session, divisions=caller.divisions, state=state, after=after_id(cursor), limit=limit + 1
    )
    return page(rows, limit, "task_id", TransferTaskOut)


@routes.post("/{task_id}/agree", summary="Let a person or a household go from a day on")
async def agree(
    session: SessionDep, caller: Decider, task_id: UUID, body: AgreementIn
) -> TransferTaskOut:
    await actions.agree(session, caller, task_id, Agreement(**dict(body)))
    return await _one(session, caller, task_id)


@routes.post("/{task_id}/refuse", summary="Keep a person, with the reason")
async def refuse(
    session: SessionDep, caller: Decider, task_id: UUID, body: RefusalIn
) -> TransferTaskOut:
    await actions.refuse(session, caller, task_id, body.reason)
    return await _one(session, caller, task_id)


@routes.post("/{task_id}/take-back", summary="Withdraw an agreement not yet carried out")
async def take_back(
    session: SessionDep, caller: Decider, task_id: UUID, body: RefusalIn
) -> TransferTaskOut:
    await actions.take_back(session, caller, task_id, body.reason)
    return await _one(session, caller, task_id)


@routes.post("/{task_id}/take-over", summary="Carry out an agreed transfer")
async def take_over(
    session: SessionDep, caller: Decider, task_id: UUID, body: TakeOverIn
) -> TakenOver:
    outcome = await actions.take_over(session, caller, task_id, body.valid_from)
    return TakenOver(
        household_id=outcome.household_id if outcome else None,
        version=outcome.version if outcome else 0,
        revision=outcome.revision if outcome else 0,
    )


@offer_routes.post("", status_code=201, summary="Offer a household to the village it moves to")
async def offer(
    session: SessionDep, caller: Decider, household_id: UUID, body: OfferIn
) -> TransferTaskOut:
    agreement = Agreement(moves_on=body.moves_on, whole_household=True, reason=body.reason)
    task_id = await actions.offer(session, caller, household_id, body.to, agreement)
    return await _one(session, caller, task_id)


async def _one(session: SessionDep, caller: Caller, task_id: UUID) -> TransferTaskOut:
    row = await queries.one(session, task_id, queries.holding(caller.divisions))
    return TransferTaskOut.model_validate(dict(row or {}))
