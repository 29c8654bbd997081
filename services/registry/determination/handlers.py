"""What becomes of an application when its public notice has ended (C60, section 5)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import reopening
from shared.applying import Subscription
from shared.contracts.envelope import Envelope
from shared.contracts.notices import Notice, NoticeEvent
from shared.contracts.topics import NOTICES


async def on_closed_notices(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """The seven days are over: the county's clock begins, or the case is taken up again."""
    notices = [Notice.model_validate_json(each.data) for each in envelopes]
    await reopening.follow_notices(session, notices)


SUBSCRIPTIONS = (
    Subscription(NOTICES, frozenset({NoticeEvent.CLOSED.value}), (on_closed_notices,)),
)
