"""What goes in and comes out of the routes of applications."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.determination.process import (
    ApplicationState,
    Delivery,
    Paper,
    PaperKind,
    SurveyKind,
)
from shared.contracts.registry import Category, RuleSet

Words = Annotated[str, Field(max_length=4000)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
Heads = Annotated[int, Field(ge=0, le=10_000)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PaperIn(_In):
    """A paper handed in; ``reference`` says where it is kept, ``person_id`` whose it is."""

    kind: PaperKind
    received_on: date
    reference: Annotated[str, Field(max_length=200)]
    person_id: UUID | None = None

    def paper(self) -> Paper:
        """The paper as the actions take it."""
        return Paper(**dict(self))


class PapersIn(_In):
    """Papers put to the case."""

    papers: Annotated[list[PaperIn], Field(min_length=1, max_length=100)]


class ApplicationIn(_In):
    """What a household on file applies for. ``staff_relative``: as the applicant declares it."""

    household_id: UUID
    category: Category
    applied_on: date
    applicant_person_id: UUID | None = None
    staff_relative: bool
    papers: Annotated[list[PaperIn], Field(max_length=100)] = []


class AcceptanceIn(_In):
    """On which day the township accepted the application."""

    accepted_on: date


class SurveyIn(_In):
    """A visit to the household; the caller's is its first signature."""

    surveyed_on: date
    findings: Words
    neighbours_heard: Heads = 0
    kind: SurveyKind = SurveyKind.TOWNSHIP


class AppraisalIn(_In):
    """What the village's appraisal came to; ``villagers`` counts their representatives too."""

    held_on: date
    participants: Annotated[int, Field(ge=1, le=10_000)]
    villagers: Heads
    in_favour: Heads
    minutes: Words


class OpinionIn(_In):
    """The township's opinion; the category applied for stands where none is given."""

    given_on: date
    in_favour: bool
    words: Words
    category: Category | None = None
    amount: Amount | None = None


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PaperOut(_Out):
    """A paper of the case."""

    paper_id: UUID
    kind: PaperKind
    person_id: UUID | None
    reference: str
    received_on: date
    received_by: str


class MissingOut(_Out):
    """A paper that is missing, and whose."""

    kind: PaperKind
    person_id: UUID | None


class SurveyOut(_Out):
    """A visit and who signed it."""

    survey_id: UUID
    round: int
    kind: SurveyKind
    surveyed_on: date
    neighbours_heard: int
    findings: str
    entered_by: str
    signed_by: list[str]


class AppraisalOut(_Out):
    """An appraisal."""

    appraisal_id: UUID
    round: int
    held_on: date
    participants: int
    villagers: int
    in_favour: int
    minutes: str
    entered_by: str


class OpinionOut(_Out):
    """An opinion of the township."""

    opinion_id: UUID
    round: int
    given_on: date
    in_favour: bool
    category: Category
    amount: Decimal | None
    words: str
    officer_id: str


class DecisionOut(_Out):
    """A decision; ``corrects`` is the one it replaces and ``error_found`` what was wrong there."""

    decision_id: UUID
    round: int
    outcome: ApplicationState
    category: Category
    amount: Decimal | None
    decided_on: date
    officer_id: str
    bureau: str | None
    reason: str
    failed_tests: list[str]
    rule_set: RuleSet
    finding: Any
    report_id: UUID | None
    missing_sources: Any
    corrects: UUID | None
    error_found: str | None
    delivered_on: date | None
    delivery: Delivery | None
    delivered_by: str | None


class ApplicationOut(_Out):
    """An application as it stands; ``due_on`` is the last day of the step that waits.

    ``papers_told`` is the one list of missing papers that the applicant was given.
    """

    application_id: UUID
    household_id: UUID
    division_code: str
    category: Category
    state: ApplicationState
    round: int
    applicant_person_id: UUID | None
    applied_on: date
    papers_told: list[MissingOut]
    accepted_on: date | None
    staff_relative: bool
    sample_rate: Decimal | None
    sampled: bool | None
    notice_request_id: UUID | None
    due_on: date | None
    due_provisional: bool
    ended_on: date | None
    withdrawn_reason: str | None
    opened_by: str
    revision: int


class CaseOut(ApplicationOut):
    """An application with all the papers of its case."""

    papers: list[PaperOut]
    surveys: list[SurveyOut]
    appraisals: list[AppraisalOut]
    opinions: list[OpinionOut]
    decisions: list[DecisionOut]
