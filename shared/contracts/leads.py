"""Leads (线索): that somebody may be in difficulty, and what came of it (C5, C21, C22).

``bangfu.lead.changed.v1`` goes out on ``registry.leads`` with the lead's whole state: codes only,
nobody's name, number or words. ``receipts`` are hashes of the receipt numbers that senders hold.
"""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Payload

LEAD_CHANGED = "bangfu.lead.changed.v1"


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


class LeadChanged(Payload):
    """One lead as it stands. ``lead_id`` is the aggregate; ``source`` is that of its first report.

    ``receipts`` are ``shared.receipts.hash_of`` each: who holds a number may ask for the state.
    """

    TOPIC_KEY: ClassVar[str] = "lead_id"

    lead_id: UUID
    division_code: str
    source: LeadSource
    state: LeadState
    receipts: tuple[str, ...] = ()
