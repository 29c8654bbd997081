"""Where a household's money goes: its head's name and its account, for whoever pays it.

Plain, under a scope of its own that no officer needs; every household asked for is audited.
"""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households import queries, sealed
from shared import api, audit
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/household-accounts", tags=["households"])
_MOST = 1_000

Payer = Annotated[Caller, requires("registry.accounts:read")]


class Wanted(BaseModel):
    """Up to 1,000 household ids."""

    model_config = ConfigDict(extra="forbid")

    household_ids: Annotated[list[UUID], Field(min_length=1, max_length=_MOST)]


class AccountOut(BaseModel):
    """Whom to pay for a household, and where; what is not known is null."""

    household_id: UUID
    name: str | None
    account: str | None


@routes.post(
    "/bulk",
    summary="Household ids into their heads' names and accounts",
    openapi_extra={api.READ_ONLY: True},
)
async def bulk(session: SessionDep, caller: Payer, body: Wanted) -> list[AccountOut]:
    """By household id; one outside the caller's divisions is not there."""
    rows = await queries.payees(session, body.household_ids, divisions=caller.divisions)
    await audit.record_rows(
        session,
        caller,
        rows,
        action="household.account_read",
        subject_type="household",
        subject="household_id",
    )
    return [
        AccountOut(
            household_id=row["household_id"],
            name=row["name"],
            account=sealed.show_account(row["account_encrypted"], plain=True),
        )
        for row in rows
    ]
