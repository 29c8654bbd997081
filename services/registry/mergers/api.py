"""Two files made one, and that taken back."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households import views
from services.registry.mergers import actions, queries
from services.registry.mergers.rules import Amounts, Merging
from shared import api
from shared.auth import Caller, requires
from shared.contracts.registry import Relation
from shared.db import SessionDep

household_routes = api.router("/v1/households/{household_id}/mergers", tags=["mergers"])
routes = api.router("/v1/mergers", tags=["mergers"])
Reader = Annotated[Caller, requires("registry.mergers:read")]
Decider = Annotated[Caller, requires("registry.mergers:decide")]
Reason = Annotated[str, Field(max_length=2000)]
Strict = ConfigDict(extra="forbid")


class MergerIn(BaseModel):
    """The file that becomes part of this one from ``merged_on`` on.

    ``amounts`` says whether two families' money is added, or one family was filed twice.
    ``same_persons`` of the merged file stand in this one already, registered twice.
    """

    model_config = Strict

    merged_id: UUID
    merged_on: date
    amounts: Amounts
    relations: Annotated[dict[UUID, Relation], Field(max_length=50)] = {}
    same_persons: Annotated[tuple[UUID, ...], Field(max_length=50)] = ()
    reason: Reason

    def merging(self) -> Merging:
        """The same for the actions."""
        return Merging(
            merged_on=self.merged_on,
            amounts=self.amounts,
            relations=self.relations,
            same_persons=frozenset(self.same_persons),
            reason=self.reason,
        )


class UndoIn(BaseModel):
    """Why a merger is taken back."""

    model_config = Strict

    reason: Reason


class MergerOut(BaseModel):
    """A merger; ``undone_on`` is null while it holds."""

    merger_id: UUID
    household_id: UUID
    merged_id: UUID
    merged_on: date
    reason: str
    decided_by: str
    undone_on: date | None
    undone_by: str | None
    undone_reason: str


@household_routes.post("", status_code=201, summary="Make another file part of this one")
async def merge(
    session: SessionDep, caller: Decider, household_id: UUID, body: MergerIn
) -> MergerOut:
    merger_id = await actions.merge(session, caller, household_id, body.merged_id, body.merging())
    return await _one(session, caller, merger_id)


@household_routes.get("", summary="The mergers that a household took part in")
async def list_mergers(session: SessionDep, caller: Reader, household_id: UUID) -> list[MergerOut]:
    await views.looked_at(session, caller, household_id, "household.mergers_read")
    rows = await queries.of_household(session, household_id, divisions=caller.divisions)
    return [MergerOut.model_validate(dict(row)) for row in rows]


@routes.post("/{merger_id}/undo", summary="Take a merger back while nothing rests on it")
async def undo(session: SessionDep, caller: Decider, merger_id: UUID, body: UndoIn) -> MergerOut:
    await actions.undo(session, caller, merger_id, body.reason)
    return await _one(session, caller, merger_id)


async def _one(session: SessionDep, caller: Caller, merger_id: UUID) -> MergerOut:
    row = await queries.one(session, merger_id, divisions=caller.divisions)
    return MergerOut.model_validate(dict(row or {}))
