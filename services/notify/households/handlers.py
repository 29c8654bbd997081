"""Keeps notify's copy of the households in step with the registry, and what follows from it."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.notices import writing as notices
from services.notify.timelines import actions as timelines
from shared import household_copy
from shared.contracts.envelope import Envelope


async def on_households(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """Store each household's newest state and retell its life; an older one changes nothing."""
    await timelines.hold(session)
    states = await household_copy.apply(session, envelopes)
    await timelines.retell_households(session, states, household_copy.versions(envelopes))
    await notices.follow_moves(session, [state.household_id for state in states])
