"""What the registry hears of relief, housing, education and employment (C6, C8)."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.ledger import actions
from shared.applying import Subscription
from shared.contracts.assistance import Assistance, AssistanceEvent, Guarantee
from shared.contracts.envelope import Envelope
from shared.contracts.topics import ASSISTANCE


async def on_assisted(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A measure was approved, paid or reversed: its newest version stands in the aid ledger."""
    await actions.record_aid(
        session,
        [
            (each.source, each.aggregate_version, Assistance.model_validate_json(each.data))
            for each in envelopes
        ],
    )


async def on_guarantees(session: AsyncSession, envelopes: Sequence[Envelope]) -> None:
    """A guarantee is met or no longer met: what a lift asks for."""
    await actions.record_guarantees(
        session,
        [
            (each.source, each.aggregate_version, Guarantee.model_validate_json(each.data))
            for each in envelopes
        ],
    )


SUBSCRIPTIONS = tuple(
    Subscription(topic, frozenset({kind.value}), (handler,))
    for topic in ASSISTANCE
    for kind, handler in (
        (AssistanceEvent.ASSISTED, on_assisted),
        (AssistanceEvent.GUARANTEE_CHANGED, on_guarantees),
    )
)
"""All four topics; a sign of hardship is not a measure (see ``returns``)."""
