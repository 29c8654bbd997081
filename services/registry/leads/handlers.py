"""Signs of hardship at households on file that nobody helps yet: each is a lead (C21)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.leads import signs
from shared.applying import Subscription
from shared.contracts.assistance import AssistanceEvent, Hardship
from shared.contracts.envelope import Envelope
from shared.contracts.topics import ASSISTANCE


async def on_hardships(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A sign at a household that was never identified opens a lead or joins it, once."""
    await signs.take(
        session,
        [(each.source, Hardship.model_validate_json(each.data)) for each in envelopes],
    )


SUBSCRIPTIONS = tuple(
    Subscription(topic, frozenset({AssistanceEvent.HARDSHIP_DETECTED.value}), (on_hardships,))
    for topic in ASSISTANCE
)
