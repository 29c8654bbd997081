"""What is told of leads on ``registry.leads``: each change of state once, with its version (C22).

Who told of somebody hears what came of it through notify. A lead that changed its place with its
household, or is older than the topic, is told at the next turn of the day.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import zip_longest
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import events
from shared.contracts import leads as contract
from shared.contracts.leads import EVENTS, HeldReceipt, LeadState, Sender
from shared.contracts.topics import REGISTRY_LEADS

CHUNK = 500
"""How many leads a turn tells in one transaction."""


async def publish(session: AsyncSession, leads: Iterable[Mapping[Any, Any]]) -> None:
    """Tell these leads' whole states; their versions were raised under their row locks."""
    await events.publish(session, [_event(lead) for lead in leads])


async def tell_untold(session: AsyncSession, _day: date) -> bool:
    """Tell the next leads whose place nobody outside has heard yet; a turn."""
    rows = (await session.execute(_UNTOLD, {"most": CHUNK})).mappings().all()
    await publish(session, rows)
    return len(rows) == CHUNK


def _event(lead: Mapping[Any, Any]) -> events.NewEvent:
    state = LeadState(lead["state"])
    return events.NewEvent(
        topic=REGISTRY_LEADS,
        type=EVENTS[state],
        subject=lead["lead_id"],
        version=lead["version"],
        payload=contract.Lead(
            **{name: lead[name] for name in _TOLD},
            state=state,
            senders=_senders(lead),
            receipts=_receipts(lead),
        ),
    )


def _senders(lead: Mapping[Any, Any]) -> tuple[Sender, ...]:
    """Who reported; of a lead that an earlier release opened, its first source."""
    known = zip(lead["senders"], lead["senders_on"], strict=True)
    found = tuple(_sender(one, on) for one, on in known)
    return found or (_sender(lead["source"], lead["opened_on"]),)


def _receipts(lead: Mapping[Any, Any]) -> tuple[HeldReceipt, ...]:
    """The receipts held; the day of opening stands in where an earlier release noted none."""
    held = zip_longest(lead["receipts"], lead["received_on"], fillvalue=lead["opened_on"])
    return tuple(HeldReceipt(receipt_hash=one, received_on=on) for one, on in held)


def _sender(stored: str, on: date) -> Sender:
    source, _, service = stored.partition("@")
    return Sender(source=source, service=service or None, reported_on=on)


_TOLD = ("lead_id", "division_code", "source", "opened_on", "visited_on", "decided_on", "accord")

_UNTOLD = text("""
    UPDATE leads SET told_in = division_code, version = version + 1
    WHERE lead_id IN (
        SELECT lead_id FROM leads WHERE told_in IS DISTINCT FROM division_code
        ORDER BY lead_id LIMIT :most FOR UPDATE)
    RETURNING *
""")
