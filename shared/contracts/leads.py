"""Leads (困难线索) on ``registry.leads``: how far each has come, for whoever told of it (C22).

Codes and dates alone: no name, phone, word or receipt number travels here. A receipt number's hash
does, so that who holds the number may ask for his word; at 80 random bits (``shared.receipts``)
nobody turns it back, and no route takes a hash in a number's place.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import Payload


class LeadSource(StrEnum):
    """Where a lead came from."""

    VISIT = "visit"
    GRID_WORKER = "grid_worker"
    WECHAT = "wechat"
    HOTLINE = "hotline"
    HOSPITAL_BILL = "hospital_bill"
    SCHOOL = "school"
    DATA_MATCH = "data_match"
    OTHER_SERVICE = "other_service"


class LeadState(StrEnum):
    """How far a lead has come. ACCEPTED: it has become an application."""

    OPEN = "open"
    VISITED = "visited"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a decision; a further report joins it then."""
        return self in {LeadState.OPEN, LeadState.VISITED}


class LeadEvent(StrEnum):
    """The types on ``registry.leads``; all carry a Lead, each where it has come to that state."""

    OPENED = "bangfu.lead.opened.v1"
    VISITED = "bangfu.lead.visited.v1"
    ACCEPTED = "bangfu.lead.accepted.v1"
    DISMISSED = "bangfu.lead.dismissed.v1"


EVENTS: Mapping[LeadState, LeadEvent] = {
    LeadState.OPEN: LeadEvent.OPENED,
    LeadState.VISITED: LeadEvent.VISITED,
    LeadState.ACCEPTED: LeadEvent.ACCEPTED,
    LeadState.DISMISSED: LeadEvent.DISMISSED,
}
"""The type that tells of a state."""


class Sender(BaseModel):
    """Who reported, by kind: ``source`` is a LeadSource or one of a later writer's.

    ``service`` is the service that did, none for citizens and officers; ``reported_on`` is the
    first day of which he reported.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    service: str | None = None
    reported_on: date


class HeldReceipt(BaseModel):
    """A receipt number that a citizen holds, by its hash, and the day on which he told."""

    model_config = ConfigDict(frozen=True)

    receipt_hash: str
    received_on: date


class Lead(Payload):
    """One lead. ``lead_id`` is the aggregate; ``source`` is that of the first report.

    Open since ``opened_on``, visited since ``visited_on``, ended on ``decided_on``. ``accord`` is
    who applies where it was accepted. ``senders`` are all kinds that reported it.
    """

    TOPIC_KEY: ClassVar[str] = "lead_id"

    lead_id: UUID
    division_code: str
    source: str
    state: LeadState
    opened_on: date
    visited_on: date | None = None
    decided_on: date | None = None
    accord: str | None = None
    senders: tuple[Sender, ...] = ()
    receipts: tuple[HeldReceipt, ...] = ()
