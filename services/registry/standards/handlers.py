"""What the registry hears of relief's standards (C11)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.standards import actions
from shared.applying import Subscription
from shared.contracts.envelope import Envelope
from shared.contracts.relief import STANDARD_CHANGED, Standard
from shared.contracts.topics import STANDARDS


async def on_standards(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A line, wage or reference income was approved: kept, for income checks are judged by it."""
    await actions.record_standards(
        session,
        [(each.aggregate_version, Standard.model_validate_json(each.data)) for each in envelopes],
    )


SUBSCRIPTIONS = (Subscription(STANDARDS, frozenset({STANDARD_CHANGED}), (on_standards,)),)
