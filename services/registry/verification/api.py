"""How authorisations are entered and verifications asked for (C20)."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import RowMapping

from services.registry.households import sealed as households_sealed
from services.registry.households import views
from services.registry.verification import actions, consent, queries, sealed
from services.registry.verification.consent import Guardian, Signed, Wish
from services.registry.verification.schemas import (
    AskedAgain,
    AuthorizationIn,
    AuthorizationOut,
    ObligorIn,
    ObligorOut,
    Reason,
    VerificationDetail,
    VerificationIn,
    VerificationOut,
)
from shared import api, clock
from shared.asked import AskedCursor, after_id, page
from shared.auth import Caller, requires
from shared.db import SessionDep
from shared.errors import NotFound

household_routes = api.router("/v1/households/{household_id}", tags=["verification"])
Reader = Annotated[Caller, requires("registry.verification:read")]
Writer = Annotated[Caller, requires("registry.verification:write")]


@household_routes.post("/obligors", status_code=201, summary="Register an obligor")
async def register_obligor(
    session: SessionDep, caller: Writer, household_id: UUID, body: ObligorIn
) -> ObligorOut:
    told = {name: value for name, value in body if name != "person_id"}
    obligor_id = await actions.register_obligor(
        session, caller, household_id, supports_person_id=body.person_id, **told
    )
    return await _obligor(session, caller, household_id, obligor_id)


@household_routes.get("/obligors", summary="The obligors of a household")
async def list_obligors(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[ObligorOut]:
    await views.looked_at(session, caller, household_id, "household.obligors_read")
    rows = await queries.obligors_of(session, household_id, divisions=caller.divisions)
    return [_shown_obligor(row, caller) for row in rows]


@household_routes.post("/obligors/{obligor_id}/end", summary="Say that an obligor owes no support")
async def end_obligor(
    session: SessionDep, caller: Writer, household_id: UUID, obligor_id: UUID, body: Reason
) -> ObligorOut:
    await actions.end_obligor(session, caller, household_id, obligor_id, reason=body.reason)
    return await _obligor(session, caller, household_id, obligor_id)


@household_routes.post(
    "/authorizations", status_code=201, summary="Enter a signed authorisation (授权书)"
)
async def authorize(
    session: SessionDep, caller: Writer, household_id: UUID, body: AuthorizationIn
) -> AuthorizationOut:
    guardian = Guardian(**dict(body.guardian)) if body.guardian else None
    told = {name: value for name, value in body if name not in {"person_id", "guardian"}}
    signed = Signed(subject_id=body.person_id, guardian=guardian, **told)
    authorization_id = await actions.authorize(session, caller, household_id, signed)
    return await _authorization(session, caller, household_id, authorization_id)


@household_routes.get("/authorizations", summary="A household's authorisations, all versions")
async def list_authorizations(
    session: SessionDep, caller: Reader, household_id: UUID
) -> list[AuthorizationOut]:
    await views.looked_at(session, caller, household_id, "household.authorizations_read")
    return await _authorizations(session, caller, household_id)


@household_routes.post(
    "/authorizations/{authorization_id}/revoke", summary="Revoke an authorisation"
)
async def revoke(
    session: SessionDep, caller: Writer, household_id: UUID, authorization_id: UUID, body: Reason
) -> AuthorizationOut:
    await actions.revoke(session, caller, household_id, authorization_id, reason=body.reason)
    return await _authorization(session, caller, household_id, authorization_id)


@household_routes.post(
    "/verifications", status_code=201, summary="Ask the sources about a household (核对)"
)
async def request_verification(
    session: SessionDep, caller: Writer, household_id: UUID, body: VerificationIn
) -> VerificationDetail:
    told = {name: value for name, value in body if name not in {"from_month", "to_month"}}
    wish = Wish(window_from=body.from_month, window_to=body.to_month, **told)
    verification_id = await actions.request(session, caller, household_id, wish)
    return await _detail(session, caller, household_id, verification_id)


@household_routes.get("/verifications", summary="The verifications of a household")
async def list_verifications(
    session: SessionDep,
    caller: Reader,
    household_id: UUID,
    cursor: AskedCursor = None,
    limit: api.Limit = 50,
) -> api.Page[VerificationOut]:
    await views.looked_at(session, caller, household_id, "household.verifications_read")
    rows = await queries.list_of(
        session,
        household_id,
        divisions=caller.divisions,
        after=after_id(cursor),
        limit=limit + 1,
    )
    return page(rows, limit, "verification_id", VerificationOut)


@household_routes.get(
    "/verifications/{verification_id}", summary="One verification, each question with its state"
)
async def one_verification(
    session: SessionDep, caller: Reader, household_id: UUID, verification_id: UUID
) -> VerificationDetail:
    await views.looked_at(session, caller, household_id, "household.verification_read")
    return await _detail(session, caller, household_id, verification_id)


@household_routes.post(
    "/verifications/{verification_id}/ask-again",
    summary="Ask anew what failed or did not come back",
)
async def ask_again(
    session: SessionDep, caller: Writer, household_id: UUID, verification_id: UUID
) -> AskedAgain:
    items = await actions.ask_again(session, caller, household_id, verification_id)
    return AskedAgain(items=items)


async def _detail(
    session: SessionDep, caller: Caller, household_id: UUID, verification_id: UUID
) -> VerificationDetail:
    where = caller.divisions
    row = await queries.one(session, household_id, verification_id, divisions=where)
    if row is None:
        raise NotFound("verification_not_found", "no such verification of this household")
    items = await queries.items_of(session, household_id, verification_id, divisions=where)
    return VerificationDetail.model_validate(
        {
            **row,
            "items": [dict(item) for item in items],
            "missing_sources": queries.missing(items),
        }
    )


async def _obligor(
    session: SessionDep, caller: Caller, household_id: UUID, obligor_id: UUID
) -> ObligorOut:
    rows = await queries.obligors_of(session, household_id, divisions=caller.divisions)
    return next(_shown_obligor(row, caller) for row in rows if row["obligor_id"] == obligor_id)


def _shown_obligor(row: RowMapping, caller: Caller) -> ObligorOut:
    plain = caller.can(views.PLAIN)
    shown = {
        "name": sealed.show_name(row["name_encrypted"], plain=plain),
        "id_number": households_sealed.show_id_number(row["id_number_encrypted"], plain=plain),
    }
    return ObligorOut.model_validate({**row, **shown})


async def _authorization(
    session: SessionDep, caller: Caller, household_id: UUID, authorization_id: UUID
) -> AuthorizationOut:
    shown = await _authorizations(session, caller, household_id)
    return next(each for each in shown if each.authorization_id == authorization_id)


async def _authorizations(
    session: SessionDep, caller: Caller, household_id: UUID
) -> list[AuthorizationOut]:
    plain, today = caller.can(views.PLAIN), clock.today()
    where = caller.divisions
    rows = await queries.authorizations_of(session, household_id, divisions=where)
    live = {
        each.authorization_id
        for each in await queries.consents_of(session, household_id, divisions=where)
        if consent.is_live(each, on=today)
    }
    return [
        AuthorizationOut.model_validate(
            {
                **row,
                "guardian_name": sealed.show_name(row["guardian_name_encrypted"], plain=plain),
                "live": row["authorization_id"] in live,
            }
        )
        for row in rows
    ]
