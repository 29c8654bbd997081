"""A household's numbers: the printed one, and those of other books."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households import views
from services.registry.numbers import actions, queries
from services.registry.numbers.rules import AliasKind
from shared import api
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/households/{household_id}/numbers", tags=["households"])
Reader = Annotated[Caller, requires("registry.households:read")]
Writer = Annotated[Caller, requires("registry.households:write")]
Number = Annotated[str, Field(max_length=60)]


class NumbersIn(BaseModel):
    """The numbers to be entered; what is left out stays, null takes one away."""

    model_config = ConfigDict(extra="forbid")

    national_household_no: Number | None = None
    hukou_no: Number | None = None


class Numbers(BaseModel):
    """The numbers of a household in other books."""

    national_household_no: str | None
    hukou_no: str | None


@routes.get("", summary="A household's numbers in other books")
async def read_numbers(session: SessionDep, caller: Reader, household_id: UUID) -> Numbers:
    await views.looked_at(session, caller, household_id, "household.numbers_read")
    return await _numbers(session, caller, household_id)


@routes.patch("", summary="Enter a household's numbers in other books")
async def enter_numbers(
    session: SessionDep, caller: Writer, household_id: UUID, body: NumbersIn
) -> Numbers:
    given = {AliasKind(name): getattr(body, name) for name in sorted(body.model_fields_set)}
    await actions.enter(session, caller, household_id, given)
    return await _numbers(session, caller, household_id)


async def _numbers(session: SessionDep, caller: Caller, household_id: UUID) -> Numbers:
    known = await queries.aliases_of(session, household_id, divisions=caller.divisions)
    return Numbers(**{kind.value: known.get(kind) for kind in AliasKind})
