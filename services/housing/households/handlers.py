"""What happens in housing when households arrive from the registry, a batch at a time."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.housing.renovations import actions as renovations
from services.housing.surveys import actions as surveys
from shared import household_copy
from shared.contracts.envelope import Envelope


async def on_households(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """Take the newest states into the copy; survey their dwellings, open and close house files."""
    states = await household_copy.apply(session, envelopes)
    moved = await surveys.take_reports(session, states)
    await renovations.follow_households(session, moved)
