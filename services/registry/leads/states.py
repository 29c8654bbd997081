"""Where leads come from and how far they have come (C5, C21, C22)."""

from enum import StrEnum


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
