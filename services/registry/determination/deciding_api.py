"""How an application is announced, decided, delivered, withdrawn (C4, C60, R29)."""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from fastapi.responses import HTMLResponse

from services.registry import pages
from services.registry.determination import correcting, deciding, explaining, letter
from services.registry.determination.api import Reader, Writer, found, shown
from services.registry.determination.correcting import Correction
from services.registry.determination.deciding import Delivered, Identification, Refusal
from services.registry.determination.schemas import (
    CaseOut,
    CorrectionIn,
    DeliveryIn,
    ExplanationOut,
    IdentificationIn,
    RefusalIn,
    WithdrawalIn,
)
from shared import api
from shared.auth import Caller, requires
from shared.db import SessionDep

routes = api.router("/v1/applications/{application_id}", tags=["applications"])
Decider = Annotated[Caller, requires("registry.determination:decide")]


@routes.post("/announce", summary="Ask for the public notice of the township's opinion")
async def announce(
    session: SessionDep,
    caller: Writer,
    application_id: UUID,
    *,
    revision: api.IfMatch,
    answer: Response,
) -> CaseOut:
    await deciding.announce(session, caller, application_id, revision)
    return await shown(session, caller, application_id, answer)


@routes.post("/decide", summary="Identify the household as applied for")
async def decide(
    session: SessionDep,
    caller: Decider,
    application_id: UUID,
    *,
    body: IdentificationIn,
    revision: api.IfMatch,
    answer: Response,
) -> CaseOut:
    decision = Identification(**dict(body))
    await deciding.identify(session, caller, application_id, revision, decision)
    return await shown(session, caller, application_id, answer)


@routes.post("/refuse", summary="Refuse the application in writing")
async def refuse(
    session: SessionDep,
    caller: Decider,
    application_id: UUID,
    *,
    body: RefusalIn,
    revision: api.IfMatch,
    answer: Response,
) -> CaseOut:
    refusal = Refusal(**dict(body))
    await deciding.refuse(session, caller, application_id, revision, refusal)
    return await shown(session, caller, application_id, answer)


@routes.post("/deliver", summary="Keep how the written refusal was delivered")
async def deliver(
    session: SessionDep,
    caller: Writer,
    application_id: UUID,
    *,
    body: DeliveryIn,
    revision: api.IfMatch,
    answer: Response,
) -> CaseOut:
    how = Delivered(**dict(body))
    await deciding.deliver(session, caller, application_id, revision, how)
    return await shown(session, caller, application_id, answer)


@routes.post("/correct", summary="Correct a decision that was wrong; the old one is kept")
async def correct(
    session: SessionDep,
    caller: Decider,
    application_id: UUID,
    *,
    body: CorrectionIn,
    revision: api.IfMatch,
    answer: Response,
) -> CaseOut:
    correction = Correction(**dict(body))
    await correcting.correct(session, caller, application_id, revision, correction)
    return await shown(session, caller, application_id, answer)


@routes.post("/withdraw", summary="End the application because the applicant withdraws it")
async def withdraw(
    session: SessionDep,
    caller: Writer,
    application_id: UUID,
    *,
    body: WithdrawalIn,
    revision: api.IfMatch,
    answer: Response,
) -> CaseOut:
    await deciding.withdraw(session, caller, application_id, revision, **dict(body))
    return await shown(session, caller, application_id, answer)


@routes.get("/letter", summary="The refusal as a letter to print", response_class=HTMLResponse)
async def read_letter(session: SessionDep, caller: Reader, application_id: UUID) -> HTMLResponse:
    row = await found(session, caller, application_id)
    return HTMLResponse(await letter.refusal(session, caller, row), headers=pages.HEADERS)


@routes.get("/explanation", summary="The reckoning behind an application, in words and numbers")
async def explain(session: SessionDep, caller: Reader, application_id: UUID) -> ExplanationOut:
    row = await found(session, caller, application_id)
    return await explaining.explain(session, caller, row)
