"""How a placement is answered."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.employment.jobs.rules import EndReason, Kind
from shared.contracts.assistance import AssistanceStatus


class PlacementView(BaseModel):
    """One job of one person. It makes employed from ``counts_from`` until its end.

    ``until`` is the last day agreed, ``ended_on`` the first day without the job. ``published`` is
    how the measure stands in the registry's aid ledger; null while it does not count.
    ``household_id`` is the household that it was given to. ``monthly_wage`` in yuan.
    """

    model_config = ConfigDict(from_attributes=True)

    placement_id: UUID
    person_id: UUID
    household_id: UUID
    division_code: str
    kind: Kind
    employer: str | None
    begins_on: date = Field(serialization_alias="from")
    until: date | None
    monthly_wage: Decimal | None
    counts_from: date
    ended_on: date | None
    end_reason: EndReason | None
    published: AssistanceStatus | None
    placed_by: str
    placed_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    revision: int
