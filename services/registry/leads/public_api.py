"""The WeChat channel (C22): anybody may say who is in difficulty, and gets a receipt number.

No sign-in. The answer is the number alone, whatever is known of the people; nothing that was sent
comes back. What became of it is asked by the number, and told in words.
"""

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from services.registry.leads import public_actions
from services.registry.leads.rules import Subject
from services.registry.settings import RegistrySettings
from shared import api, public
from shared.divisions import CODE
from shared.public import PublicSession

routes = api.router("/v1/public/leads", tags=["public"])


class PublicLeadIn(BaseModel):
    """What was seen and where; the phone is the sender's, the ID number of who is in difficulty."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=1000)]
    division_code: Annotated[str, Field(pattern=CODE)]
    phone: Annotated[str, Field(min_length=1, max_length=40)]
    id_number: Annotated[str | None, Field(max_length=40)] = None


class Receipt(BaseModel):
    """The number to ask with at ``POST /v1/public/leads/status``."""

    receipt: str


class ReceiptIn(BaseModel):
    """The number as it was given, with or without its dashes."""

    model_config = ConfigDict(extra="forbid")

    receipt: Annotated[str, Field(min_length=1, max_length=40)]


class Status(BaseModel):
    """How far a lead has come, in words for whoever told of it."""

    status: str


@routes.post(
    "",
    status_code=201,
    summary="Tell of somebody in difficulty, without sign-in",
    openapi_extra={api.PUBLIC: True, api.MAX_BODY: public.MOST_BYTES},
)
async def tell(request: Request, session: PublicSession, body: PublicLeadIn) -> Receipt:
    settings: RegistrySettings = request.app.state.platform.settings
    receipt = await public_actions.take(
        session,
        Subject(division_code=body.division_code, id_number=body.id_number, phone=body.phone),
        body.text,
        sender=public.sender_network(),
        limits=public_actions.Limits(
            per_address=settings.public_leads_per_address,
            per_phone=settings.public_leads_per_phone,
        ),
    )
    return Receipt(receipt=receipt)


@routes.post(
    "/status",
    summary="What became of a lead, by its receipt number",
    openapi_extra={api.PUBLIC: True, api.MAX_BODY: 1_024},
)
async def tell_status(request: Request, session: PublicSession, body: ReceiptIn) -> Status:
    settings: RegistrySettings = request.app.state.platform.settings
    words = await public_actions.status_of(
        session,
        body.receipt,
        sender=public.sender_network(),
        most=settings.public_lead_questions_per_address,
    )
    return Status(status=words)
