"""What the registry hears of the notices it asked for (C60)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.notices import actions
from shared.applying import Subscription
from shared.contracts.envelope import Envelope
from shared.contracts.notices import Notice, NoticeEvent
from shared.contracts.topics import NOTICES


async def on_notices(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A notice was posted, objected to or closed: kept beside the request, and nothing goes out."""
    await actions.record_notices(
        session,
        [(each.aggregate_version, Notice.model_validate_json(each.data)) for each in envelopes],
    )


SUBSCRIPTIONS = (
    Subscription(NOTICES, frozenset(kind.value for kind in NoticeEvent), (on_notices,)),
)
