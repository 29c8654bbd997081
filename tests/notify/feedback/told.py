"""Leads as the registry tells of them, received by notify's handler."""

from datetime import UTC, date, datetime
from typing import Any

from services.notify.feedback.handlers import on_leads
from shared import receipts
from shared.contracts.envelope import Envelope
from shared.contracts.leads import EVENTS, HeldReceipt, Lead, LeadState, Sender
from shared.contracts.registry import SOURCE
from shared.db import Database
from shared.identity import new_id
from tests.notify.support import VILLAGE

TOLD, SEEN, OVER = date(2026, 3, 10), date(2026, 3, 12), date(2026, 3, 20)


def lead(**facts: Any) -> Lead:
    """A citizen's lead of 10 March that waits for its visit; any field may be named."""
    known: dict[str, Any] = {
        "lead_id": new_id(),
        "division_code": VILLAGE,
        "source": "wechat",
        "state": LeadState.OPEN,
        "opened_on": TOLD,
        "senders": (sender("wechat"),),
    }
    return Lead(**(known | facts))


def sender(source: str, service: str | None = None, on: date = TOLD) -> Sender:
    """Somebody who reported, of the 10th unless another day is named."""
    return Sender(source=source, service=service, reported_on=on)


def held(receipt: str, on: date = TOLD) -> HeldReceipt:
    """A receipt number as an event carries it."""
    return HeldReceipt(receipt_hash=receipts.hash_of(receipt), received_on=on)


def visited(one: Lead, **facts: Any) -> Lead:
    """The lead once it was visited on the 12th."""
    return one.model_copy(update={"state": LeadState.VISITED, "visited_on": SEEN} | facts)


def ended(one: Lead, state: LeadState = LeadState.DISMISSED, **facts: Any) -> Lead:
    """The lead once it was decided on the 20th."""
    return visited(one, state=state, decided_on=OVER, **facts)


def event(one: Lead, version: int) -> Envelope:
    """The event that would carry this lead."""
    return Envelope(
        id=new_id(),
        source=SOURCE,
        type=EVENTS[one.state],
        subject=str(one.lead_id),
        time=datetime(2026, 3, 10, 4, tzinfo=UTC),
        key=str(one.lead_id),
        aggregate_version=version,
        correlation_id=str(new_id()),
        data=one.model_dump_json().encode(),
    )


async def hear(database: Database, *leads: Lead, version: int = 1) -> None:
    """These leads arrive in one batch, past the consumer's own guard."""
    async with database.transaction() as session:
        await on_leads(session, [event(one, version) for one in leads])
