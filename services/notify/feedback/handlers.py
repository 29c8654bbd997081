"""What notify hears of leads: how far each has come, for whoever told of it (C22)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.feedback import actions
from shared.applying import Subscription
from shared.contracts.envelope import Envelope
from shared.contracts.leads import Lead, LeadEvent
from shared.contracts.topics import REGISTRY_LEADS


async def on_leads(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """Keep the newest version of every lead of the batch.

    Raises pydantic's ValidationError for a payload that is no Lead.
    """
    newest = {}
    for envelope in sorted(envelopes, key=lambda envelope: envelope.aggregate_version):
        lead = Lead.model_validate_json(envelope.data)
        newest[lead.lead_id] = (envelope.aggregate_version, lead)
    await actions.take(session, newest)


SUBSCRIPTIONS = (Subscription(REGISTRY_LEADS, frozenset(LeadEvent), (on_leads,)),)
