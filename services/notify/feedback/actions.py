"""Keeping what the registry tells of leads: the newest version of each, and nothing else."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.feedback.models import Feedback, FeedbackReceipt
from shared.contracts.leads import Lead


async def take(session: AsyncSession, told: Mapping[UUID, tuple[int, Lead]]) -> None:
    """Store leads by id with their versions; an older version, or the same again, is no news."""
    if not told:
        return
    stored = insert(Feedback)
    replaced = {name: stored.excluded[name] for name in _COLUMNS if name != "lead_id"}
    await session.execute(
        stored.on_conflict_do_update(
            index_elements=[Feedback.lead_id],
            set_=replaced,
            where=Feedback.version < stored.excluded.version,
        ),
        [_row(version, lead) for _, (version, lead) in sorted(told.items())],
    )
    held = sorted(
        (each.receipt_hash, lead.lead_id) for _, lead in told.values() for each in lead.receipts
    )
    if held:
        # A receipt is of one lead for good, so an older version says nothing wrong of it.
        await session.execute(
            insert(FeedbackReceipt).on_conflict_do_nothing(),
            [{"receipt_hash": one, "lead_id": lead_id} for one, lead_id in held],
        )


def _row(version: int, lead: Lead) -> dict[str, Any]:
    return {
        **{name: getattr(lead, name) for name in _SAME},
        "state": lead.state.value,
        "sources": [each.source for each in lead.senders],
        "services": [each.service for each in lead.senders],
        "reported_on": [each.reported_on for each in lead.senders],
        "receipts": [each.receipt_hash for each in lead.receipts],
        "received_on": [each.received_on for each in lead.receipts],
        "version": version,
    }


_SAME = ("lead_id", "division_code", "source", "opened_on", "visited_on", "decided_on", "accord")
_COLUMNS = tuple(column.name for column in Feedback.__table__.columns)
