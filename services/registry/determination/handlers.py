"""What becomes of an application when its public notice has ended (C60, section 5)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.determination import reopening
from services.registry.notices.rules import ASKED_FROM
from shared.applying import Subscription
from shared.contracts.envelope import Envelope
from shared.contracts.notices import Notice, NoticeEvent
from shared.contracts.topics import NOTICES


async def on_closed_notices(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """The seven days are over: the county's clock begins, or the case is taken up again."""
    notices = [Notice.model_validate_json(each.data) for each in envelopes]
    ours = [notice for notice in notices if notice.kind in ASKED_FROM]
    await reopening.follow_notices(session, ours)


SUBSCRIPTIONS = (
    Subscription(NOTICES, frozenset({NoticeEvent.CLOSED.value}), (on_closed_notices,)),
)
