"""What the registry hears of the notices it asked for (C60)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.notices import actions
from services.registry.notices.rules import ASKED_FROM
from shared.applying import Subscription
from shared.contracts.envelope import Envelope
from shared.contracts.notices import Notice, NoticeEvent
from shared.contracts.topics import NOTICES


async def on_notices(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A notice was posted, objected to or closed: kept beside the request, and nothing goes out.

    Those that other services asked for, of kinds of their own, are passed over.
    """
    told = [(each.aggregate_version, Notice.model_validate_json(each.data)) for each in envelopes]
    await actions.record_notices(
        session, [(version, notice) for version, notice in told if notice.kind in ASKED_FROM]
    )


SUBSCRIPTIONS = (
    Subscription(NOTICES, frozenset(kind.value for kind in NoticeEvent), (on_notices,)),
)
