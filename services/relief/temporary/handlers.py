"""What relief hears of the notices it asked for (C60)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.temporary import announcing
from shared.applying import Subscription
from shared.contracts.envelope import Envelope
from shared.contracts.notices import Notice, NoticeEvent
from shared.contracts.topics import NOTICES


async def on_notices(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A notice was posted, objected to or closed: kept beside its application, nothing goes out.

    Those of other services are passed over.
    """
    told = [(each.aggregate_version, Notice.model_validate_json(each.data)) for each in envelopes]
    ours = [(version, notice) for version, notice in told if notice.kind is announcing.KIND]
    await announcing.record(session, ours)


SUBSCRIPTIONS = (
    Subscription(NOTICES, frozenset(kind.value for kind in NoticeEvent), (on_notices,)),
)
