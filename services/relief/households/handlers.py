"""What happens in relief when households arrive from the registry, a batch at a time."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.dibao import actions as dibao
from services.relief.guarantees import actions as guarantees
from shared import household_copy
from shared.contracts.envelope import Envelope


async def on_households(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """Take the newest states into the copy; settle the grants and guarantees of the news."""
    await dibao.hold_lines(session)
    states = await household_copy.apply(session, envelopes)
    await dibao.settle_grants(session, [state.household_id for state in states])
    await guarantees.state_guarantees(session, states)
