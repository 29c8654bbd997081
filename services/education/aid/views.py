"""A term's aid of one pupil as callers see it."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.education.aid.rules import Programme
from shared.asked import Month
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import Category, SchoolStage


class AidView(BaseModel):
    """One pupil's aid of one term, in yuan; ``month`` is the first of the term's months."""

    model_config = ConfigDict(from_attributes=True)

    aid_id: UUID
    run_id: UUID
    person_id: UUID
    household_id: UUID
    division_code: str
    term: str
    month: Month
    programme: Programme
    stage: SchoolStage
    category: Category
    amount: Decimal
    fund: str
    parameter_id: UUID
    status: AssistanceStatus
    granted_on: date
    paid_on: date | None
    version: int
