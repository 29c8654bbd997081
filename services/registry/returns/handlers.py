"""What the registry hears of households that may fall back into poverty (C7, C16)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.returns import actions
from shared.applying import Subscription
from shared.contracts.assistance import AssistanceEvent, Hardship
from shared.contracts.envelope import Envelope
from shared.contracts.topics import ASSISTANCE


async def on_hardships(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A sign of hardship: kept once, and at a lifted household it opens a return check."""
    await actions.record_hardships(
        session,
        [(each.source, Hardship.model_validate_json(each.data)) for each in envelopes],
    )


SUBSCRIPTIONS = tuple(
    Subscription(topic, frozenset({AssistanceEvent.HARDSHIP_DETECTED.value}), (on_hardships,))
    for topic in ASSISTANCE
)
