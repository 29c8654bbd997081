"""What notify hears of relief, housing, education and employment: it joins the time lines."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.timelines import actions
from services.notify.timelines.rules import (
    told_by_assistance,
    told_by_guarantee,
    told_by_hardship,
)
from shared.applying import Subscription
from shared.contracts.assistance import Assistance, AssistanceEvent, Guarantee, Hardship
from shared.contracts.envelope import Envelope
from shared.contracts.topics import ASSISTANCE


async def on_assisted(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A measure was approved, paid or reversed: its newest version stands in the time line."""
    await actions.tell(
        session,
        [
            told_by_assistance(
                each.source, Assistance.model_validate_json(each.data), each.aggregate_version
            )
            for each in envelopes
        ],
    )


async def on_guarantees(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A guarantee is met or no longer met; what it was before stays in the time line."""
    await actions.tell_guarantees(
        session,
        [
            told_by_guarantee(
                each.source, Guarantee.model_validate_json(each.data), each.aggregate_version
            )
            for each in envelopes
        ],
    )


async def on_hardships(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A sign of hardship was noticed."""
    await actions.tell(
        session,
        [
            told_by_hardship(
                each.source, Hardship.model_validate_json(each.data), each.aggregate_version
            )
            for each in envelopes
        ],
    )


SUBSCRIPTIONS = tuple(
    Subscription(topic, frozenset({kind.value}), (handler,))
    for topic in ASSISTANCE
    for kind, handler in (
        (AssistanceEvent.ASSISTED, on_assisted),
        (AssistanceEvent.GUARANTEE_CHANGED, on_guarantees),
        (AssistanceEvent.HARDSHIP_DETECTED, on_hardships),
    )
)
"""All four topics, all three types."""
