"""What is asked of feedback: leads by division and sender, and one by its receipt number."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.feedback.models import Feedback
from services.notify.feedback.rules import Progress
from shared.contracts.leads import LeadState
from shared.db import in_divisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which leads: in these divisions, reported by a kind of sender, by a service, in a state."""

    within: Sequence[str]
    source: str | None = None
    service: str | None = None
    state: LeadState | None = None


async def page(
    session: AsyncSession,
    wanted: Wanted,
    divisions: Sequence[str],
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Leads by id, which ascends with time, after one."""
    query = (
        select(Feedback.__table__)
        .where(in_divisions(Feedback.division_code, divisions))
        .where(in_divisions(Feedback.division_code, wanted.within))
        .order_by(Feedback.lead_id)
        .limit(limit)
    )
    if wanted.source is not None:
        query = query.where(Feedback.sources.contains([wanted.source]))
    if wanted.service is not None:
        query = query.where(Feedback.services.contains([wanted.service]))
    if wanted.source is not None and wanted.service is not None:
        # Of one and the same sender: the two lists go side by side.
        pair = {"source": wanted.source, "service": wanted.service}
        query = query.where(_OF_ONE_SENDER.bindparams(**pair))
    if wanted.state is not None:
        query = query.where(Feedback.state == wanted.state)
    if after is not None:
        query = query.where(Feedback.lead_id > after)
    return (await session.execute(query)).mappings().all()


async def one(session: AsyncSession, lead_id: UUID, divisions: Sequence[str]) -> RowMapping | None:
    """One lead; None where it is unknown or outside ``divisions``."""
    rows = await session.execute(
        select(Feedback.__table__)
        .where(Feedback.lead_id == lead_id)
        .where(in_divisions(Feedback.division_code, divisions))
    )
    return rows.mappings().one_or_none()


async def of_receipt(session: AsyncSession, receipt_hash: str) -> Progress | None:
    """How far the lead of a receipt has come, in any division; the session is a public one."""
    rows = await session.execute(
        text("SELECT * FROM feedback_of_receipt(:held)"), {"held": receipt_hash}
    )
    row = rows.mappings().one_or_none()
    return None if row is None else Progress(**{**row, "state": LeadState(row["state"])})


_OF_ONE_SENDER = text(
    "EXISTS (SELECT FROM unnest(sources, services) AS sender(source, service) "
    "WHERE sender.source = :source AND sender.service = :service)"
)
