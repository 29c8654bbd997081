"""Keeps education's copy of the households in step with the registry.

The capabilities that react to a household's state come with the next issue and find it here.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from shared import household_copy
from shared.contracts.envelope import Envelope


async def on_households(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """Store each household's newest state; an older one than stored changes nothing."""
    await household_copy.apply(session, envelopes)
