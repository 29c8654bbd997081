"""What partners are told of households: published states and changes, in codes only."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from shared import api
from shared.contracts.registry import HouseholdState


class Published(BaseModel):
    """The newest state of one household that the registry has published."""

    household_id: UUID
    version: int
    state: HouseholdState


class PublishedPage(api.Page[Published]):
    """A page, and the divisions it was drawn from: what lies outside is not here to compare."""

    divisions: list[str]


class Change(BaseModel):
    """One published version of one household.

    A household that moved out of the caller's divisions comes once more without its state, with
    the county that has it now.
    """

    household_id: UUID
    version: int
    type: str
    recorded_at: datetime
    state: HouseholdState | None
    moved_to: str | None


class Feed(BaseModel):
    """Changes in their order; ask again with ``cursor``, at once while there is ``more``."""

    items: list[Change]
    cursor: str = Field(description="where the next call goes on; given even if nothing is new")
    more: bool
