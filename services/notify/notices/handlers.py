"""What notify hears of notices: what another service wants posted, changed or withdrawn (C60)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices import actions
from shared.contracts.envelope import Envelope
from shared.contracts.notices import NoticeRequest


async def on_notice_requests(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """Take the newest version of every request of the batch.

    Raises pydantic's ValidationError for a payload that is no NoticeRequest.
    """
    newest = {}
    for envelope in sorted(envelopes, key=lambda envelope: envelope.aggregate_version):
        request = NoticeRequest.model_validate_json(envelope.data)
        newest[request.notice_request_id] = (envelope.aggregate_version, request)
    await actions.take_requests(session, newest)
