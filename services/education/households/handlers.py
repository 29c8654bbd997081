"""What happens in education when households arrive from the registry, a batch at a time."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.education.students import actions as students
from shared import clock, household_copy
from shared.contracts.envelope import Envelope


async def on_households(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """Take the newest states into the copy; settle files, gaps and guarantees of the news."""
    states = await household_copy.apply(session, envelopes)
    news = [state.household_id for state in states]
    if news:
        await students.settle_households(session, news, clock.today())
