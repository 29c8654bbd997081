"""One file made two, and the look at splits that are watched."""

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.households import views
from services.registry.households.facts import NO_ASSETS, NO_EXPENSES, NO_INCOMES
from services.registry.households.schemas import (
    Account,
    AssetsIn,
    IncomesIn,
    Phone,
    RigidExpensesIn,
    Village,
    plain,
)
from services.registry.splits import actions, queries
from services.registry.splits.actions import Contact
from services.registry.splits.rules import Finding, Money, Splitting
from shared import api
from shared.auth import Caller, requires
from shared.contracts.registry import Relation
from shared.db import SessionDep

household_routes = api.router("/v1/households/{household_id}/splits", tags=["splits"])
routes = api.router("/v1/splits", tags=["splits"])
Reader = Annotated[Caller, requires("registry.splits:read")]
Decider = Annotated[Caller, requires("registry.splits:decide")]
Reason = Annotated[str, Field(max_length=2000)]
Strict = ConfigDict(extra="forbid")


class MoneyIn(BaseModel):
    """What one of the two households has, whole: incomes must be said, nothing is divided up."""

    model_config = Strict

    incomes: IncomesIn
    rigid_expenses: RigidExpensesIn = RigidExpensesIn()
    assets: AssetsIn = AssetsIn()

    def money(self) -> Money:
        """The same for the actions."""
        return Money(
            incomes=plain(NO_INCOMES, self.incomes),
            rigid_expenses=plain(NO_EXPENSES, self.rigid_expenses),
            assets=plain(NO_ASSETS, self.assets),
        )


class SplitIn(BaseModel):
    """Who goes from ``split_on`` on, under which head, where to, and the money of both."""

    model_config = Strict

    split_on: date
    person_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=50)]
    head_person_id: UUID
    relations: Annotated[dict[UUID, Relation], Field(max_length=50)] = {}
    new_head_person_id: UUID | None = None
    division_code: Village
    staying: MoneyIn
    going: MoneyIn
    phone: Phone | None = None
    account: Account | None = None
    reason: Reason

    def splitting(self) -> Splitting:
        """The same for the actions."""
        return Splitting(
            split_on=self.split_on,
            person_ids=frozenset(self.person_ids),
            head_person_id=self.head_person_id,
            relations=self.relations,
            new_head_person_id=self.new_head_person_id,
            division_code=self.division_code,
            staying=self.staying.money(),
            going=self.going.money(),
            reason=self.reason,
        )


class ReviewIn(BaseModel):
    """What a look at a watched split found."""

    model_config = Strict

    outcome: Finding
    reason: Reason


class SplitOut(BaseModel):
    """A split; ``outcome`` is null where nobody looked at it, or need not."""

    split_id: UUID
    household_id: UUID
    new_household_id: UUID
    split_on: date
    reason: str
    watched: bool
    decided_by: str
    outcome: Finding | None
    reviewed_on: date | None
    reviewed_by: str | None
    review_reason: str


@household_routes.post("", status_code=201, summary="Make a new file of some members of this one")
async def split(
    session: SessionDep, caller: Decider, household_id: UUID, body: SplitIn
) -> SplitOut:
    contact = Contact(phone=body.phone, account=body.account)
    split_id = await actions.split(session, caller, household_id, body.splitting(), contact)
    return await _one(session, caller, split_id)


@household_routes.get("", summary="The splits that a household took part in")
async def list_splits(session: SessionDep, caller: Reader, household_id: UUID) -> list[SplitOut]:
    await views.looked_at(session, caller, household_id, "household.splits_read")
    rows = await queries.of_household(session, household_id, divisions=caller.divisions)
    return [SplitOut.model_validate(dict(row)) for row in rows]


@routes.post("/{split_id}/review", summary="Say whether a watched split is genuine")
async def review(session: SessionDep, caller: Decider, split_id: UUID, body: ReviewIn) -> SplitOut:
    await actions.review(session, caller, split_id, body.outcome, body.reason)
    return await _one(session, caller, split_id)


async def _one(session: SessionDep, caller: Caller, split_id: UUID) -> SplitOut:
    row = await queries.one(session, split_id, divisions=caller.divisions)
    return SplitOut.model_validate(dict(row or {}))
