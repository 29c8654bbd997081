"""How to ask for households and to file them (C2, C3, C6). Reads of personal data are audited."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import AwareDatetime

from services.registry.households import actions, finding, sealed, showing, views
from services.registry.households.facts import (
    DECIDED_FACTS,
    HouseholdChange,
    LeaveReason,
    Leaving,
    MemberChange,
    Outcome,
    Result,
)
from services.registry.households.finding import Filter
from services.registry.households.refusals import KeepTransfers, require_done
from services.registry.households.schemas import (
    Changed,
    Count,
    Departure,
    DivisionPrefix,
    HouseholdIn,
    HouseholdOut,
    HouseholdPatch,
    Joining,
    Listed,
    MemberPatch,
    Search,
)
from shared import api, clock, identity
from shared.auth import Caller, requires
from shared.contracts.registry import Category, State
from shared.db import SessionDep
from shared.errors import Forbidden, NotFound, Refused
from shared.looks import LookDep

routes = api.router("/v1/households", tags=["households"])

Reader = Annotated[Caller, requires("registry.households:read")]
Writer = Annotated[Caller, requires("registry.households:write")]
Division = Annotated[DivisionPrefix | None, Query(description="division code or its beginning")]
_DIGITS = {"county": 6, "township": 9, "village": 12}


@routes.post("", status_code=201, summary="Open a file", dependencies=[KeepTransfers])
async def open_household(
    session: SessionDep, caller: Writer, body: HouseholdIn, answer: Response
) -> Changed:
    outcome = require_done(
        await actions.open_household(
            session,
            caller,
            body.entry(),
            origin="application",
            opened_on=body.opened_on or clock.today(),
        )
    )
    answer.headers["Location"] = f"/v1/households/{outcome.household_id}"
    return _changed(outcome, answer)


@routes.get("", summary="Households by division, category and state")
async def list_households(
    session: SessionDep,
    caller: Reader,
    *,
    division: Division = None,
    category: Category | None = None,
    state: State | None = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    limit: api.Limit = 50,
) -> api.Page[Listed]:
    wanted = Filter(division=division, category=category, state=state)
    return await views.page(session, caller, wanted, cursor, limit)


@routes.get("/counts", summary="How many households and people, by division, category and state")
async def count_households(
    session: SessionDep,
    caller: Reader,
    *,
    by: Literal["county", "township", "village"] = "township",
    division: Division = None,
    category: Category | None = None,
    state: State | None = None,
) -> list[Count]:
    wanted = Filter(division=division, category=category, state=state)
    rows = await finding.count_households(
        session, wanted, divisions=caller.divisions, digits=_DIGITS[by]
    )
    return [Count.model_validate(dict(row)) for row in rows]


@routes.post(
    "/search",
    summary="Households by a member's name or ID number, or by their number",
    openapi_extra={api.READ_ONLY: True},
)
async def search_households(session: SessionDep, caller: Reader, body: Search) -> api.Page[Listed]:
    return await views.page(session, caller, _filter(body), body.cursor, body.limit)


@routes.get("/{household_id}", summary="One household, as of a day and as known at a moment")
async def read_household(
    look: LookDep,
    caller: Reader,
    household_id: UUID,
    answer: Response,
    *,
    as_of: date | None = None,
    known_at: AwareDatetime | None = None,
) -> HouseholdOut:
    found = await showing.household(look, caller, household_id, as_of=as_of, known_at=known_at)
    if found is None:
        raise NotFound("household_not_found", "no such household in your divisions at that time")
    answer.headers["ETag"] = api.etag(found.revision)
    return found


@routes.patch("/{household_id}", summary="Change facts of a household from a day on")
async def change_household(
    session: SessionDep,
    caller: Writer,
    household_id: UUID,
    *,
    body: HouseholdPatch,
    revision: api.IfMatch,
    answer: Response,
) -> Changed:
    facts = body.facts()
    if not caller.can("registry.households:decide") and facts.keys() & set(DECIDED_FACTS):
        raise Forbidden("scope_missing", "this is a decision: registry.households:decide is needed")
    change = HouseholdChange(
        household_id=household_id,
        valid_from=body.valid_from,
        facts=facts,
        head_person_id=body.head_person_id,
        phone=body.phone,
        account=body.account,
        reason=body.reason,
        expected_revision=revision,
    )
    return await _revise(session, caller, change, answer)


@routes.post(
    "/{household_id}/members",
    status_code=201,
    summary="Take a person into a household",
    dependencies=[KeepTransfers],
)
async def add_member(
    session: SessionDep, caller: Writer, household_id: UUID, body: Joining, answer: Response
) -> Changed:
    change = HouseholdChange(
        household_id=household_id, valid_from=body.valid_from, join=(body.entry(),)
    )
    return await _revise(session, caller, change, answer)


@routes.patch("/{household_id}/members/{person_id}", summary="Change a member from a day on")
async def change_member(
    session: SessionDep,
    caller: Writer,
    household_id: UUID,
    person_id: UUID,
    *,
    body: MemberPatch,
    revision: api.IfMatch,
    answer: Response,
) -> Changed:
    member = MemberChange(
        person_id=person_id,
        facts=body.facts(),
        name=body.name,
        phone=body.phone,
        id_number=body.id_number,
        proof=body.proof,
    )
    change = HouseholdChange(
        household_id=household_id,
        valid_from=body.valid_from,
        members=(member,),
        expected_revision=revision,
    )
    return await _revise(session, caller, change, answer)


@routes.post("/{household_id}/members/{person_id}/leave", summary="A member dies or goes")
async def leave(
    session: SessionDep,
    caller: Writer,
    household_id: UUID,
    person_id: UUID,
    *,
    body: Departure,
    answer: Response,
) -> Changed:
    change = HouseholdChange(
        household_id=household_id,
        valid_from=body.valid_from,
        leave=(Leaving(person_id=person_id, reason=LeaveReason(body.reason)),),
        head_person_id=body.new_head_person_id,
    )
    return await _revise(session, caller, change, answer)


async def _revise(
    session: SessionDep, caller: Caller, change: HouseholdChange, answer: Response
) -> Changed:
    (outcome,) = await actions.revise_households(session, caller, [change])
    return _changed(require_done(outcome), answer)


def _changed(outcome: Outcome, answer: Response) -> Changed:
    if outcome.household_id is None:
        raise ValueError("only a refused outcome has no household")
    answer.headers["ETag"] = api.etag(outcome.revision)
    return Changed(
        household_id=outcome.household_id,
        version=outcome.version,
        revision=outcome.revision,
        changed=outcome.result is not Result.UNCHANGED,
        person_ids=outcome.person_ids,
    )


def _filter(body: Search) -> Filter:
    if body.name_prefix is None and body.id_number is None and body.number is None:
        raise Refused("search_empty", "name a name_prefix, an id_number or a number; GET lists all")
    its_hash = None
    if body.id_number is not None:
        try:
            its_hash = sealed.hash_id_number(identity.parse_id_number(body.id_number).number)
        except identity.InvalidIdNumberError as wrong:
            raise Refused(wrong.code, wrong.message_zh) from wrong
    return Filter(
        division=body.division,
        category=body.category,
        state=body.state,
        name_prefix=body.name_prefix,
        id_number_hash=its_hash,
        number=identity.normalise_code(body.number).upper() if body.number else None,
    )
