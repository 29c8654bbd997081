"""What is said and shown of dwellings and house files."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.housing.renovations.rules import Method, Stage
from services.housing.surveys.actions import is_safe
from services.housing.surveys.rules import ClosingCause, FileState
from shared.contracts.registry import HouseGrade


class Occupancy(BaseModel):
    """The household moved out to somewhere safe (false) or back in (true) on a day."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    occupied: bool
    from_: Annotated[date, Field(alias="from")]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class DwellingView(BaseModel):
    """A household's dwelling. ``grade`` null waits for a survey; ``safe`` is null just there.

    ``renovated_on`` is the day of a renovation accepted since the grade was reported.
    """

    model_config = ConfigDict(from_attributes=True)

    household_id: UUID
    division_code: str
    grade: HouseGrade | None
    grade_since: date
    occupied: bool
    occupied_since: date | None
    renovated_on: date | None
    renovated_file_id: UUID | None
    on_file: bool
    safe: bool | None = None

    def model_post_init(self, _context: Any) -> None:
        """Whether it is safe follows from the rest."""
        self.safe = is_safe(self.model_dump())


class GradeView(BaseModel):
    """A grade of a house on file and the day from which the registry reported it.

    ``hardship_id`` is the signal sent where the house had newly become D.
    """

    grade: HouseGrade
    since: date
    hardship_id: UUID | None = None


class FileView(BaseModel):
    """The file of one dangerous house."""

    model_config = ConfigDict(from_attributes=True)

    file_id: UUID
    household_id: UUID
    division_code: str
    grade: HouseGrade
    grade_history: list[GradeView]
    state: FileState
    opened_on: date
    closed_on: date | None
    closing_cause: ClosingCause | None


class RenovationBrief(BaseModel):
    """A renovation of the household; the whole is under ``/v1/renovations/{renovation_id}``."""

    model_config = ConfigDict(from_attributes=True)

    renovation_id: UUID
    file_id: UUID
    method: Method
    stage: Stage
    applied_on: date
    accepted_on: date | None
    amount: Decimal | None
    paid_on: date | None


class MoveView(BaseModel):
    """A household that moved out of its dwelling or back into it."""

    occupied: bool
    from_: Annotated[date, Field(alias="from")]
    reason: str
    recorded_by: str


class WholeDwelling(DwellingView):
    """A dwelling with who moved when, its files and its renovations."""

    occupancy_history: list[MoveView]
    files: list[FileView]
    renovations: list[RenovationBrief]


class Coverage(BaseModel):
    """A division's survey: ``unknown`` dwellings are the survey tasks that are left (C27)."""

    model_config = ConfigDict(from_attributes=True)

    division: str | None
    households: int
    grade_a: int
    grade_b: int
    grade_c: int
    grade_d: int
    unknown: int
    vacated: int


class FileSummary(BaseModel):
    """A division's files by grade and state; ``renovated`` were closed by an acceptance."""

    model_config = ConfigDict(from_attributes=True)

    division: str | None
    files: int
    open: int
    closed: int
    grade_c: int
    grade_d: int
    open_c: int
    open_d: int
    renovated: int
