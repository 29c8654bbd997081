"""Word to a citizen who told of somebody (C22): by his receipt number, without sign-in.

No name, no place, nothing of the people it is about. Who tries numbers is stopped by the day's
limit of his address.
"""

from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from services.notify.feedback import queries
from services.notify.feedback.rules import steps
from services.notify.settings import NotifySettings
from shared import api, public
from shared.lead_words import STATUS, UNKNOWN
from shared.public import PublicSession

routes = api.router("/v1/public/feedback", tags=["public"])

NOT_FOUND = f"{UNKNOWN}；刚刚反映的，请稍后再查"
"""A receipt is given out by the registry; notify hears of it a moment later."""


class ReceiptIn(BaseModel):
    """The number as it was given, with or without its dashes."""

    model_config = ConfigDict(extra="forbid")

    receipt: Annotated[str, Field(min_length=1, max_length=40)]


class Word(BaseModel):
    """Where it stands, and what happened on which day; no steps for a number nobody holds."""

    status: str
    steps: list[str]


@routes.post(
    "",
    summary="What came of what one told, by its receipt number",
    openapi_extra={api.PUBLIC: True, api.MAX_BODY: 1_024},
)
async def tell_sender(request: Request, session: PublicSession, body: ReceiptIn) -> Word:
    settings: NotifySettings = request.app.state.platform.settings
    held = await public.receipt_asked(
        session,
        body.receipt,
        purpose="feedback.asked",
        sender=public.sender_network(),
        most=settings.public_feedback_questions_per_address,
    )
    progress = None if held is None else await queries.of_receipt(session, held)
    if progress is None:
        return Word(status=NOT_FOUND, steps=[])
    return Word(status=STATUS[progress.state], steps=[step.sentence for step in steps(progress)])
