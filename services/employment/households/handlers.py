"""What happens in employment when households arrive from the registry, a batch at a time."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.jobs import actions as jobs
from services.employment.labour import actions as labour
from shared import household_copy
from shared.auth import system_caller
from shared.contracts.envelope import Envelope


async def on_households(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """Take the newest states into the copy; settle the work of the households that are news."""
    states = await household_copy.apply(session, envelopes)
    news = [state.household_id for state in states]
    await labour.know(session, news)
    await labour.settle(session, system_caller("employment"), news)
    await jobs.follow_moves(session, news)
