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
from services.registry.means.declared import Declaration
from services.registry.verification.sources import Source
from shared.contracts.registry import Category, RuleSet

Words = Annotated[str, Field(max_length=4000)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
EvidenceCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
Heads = Annotated[int, Field(ge=0, le=10_000)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class PaperIn(_In):
    """A paper handed in; ``reference`` says where it is kept, ``person_id`` whose it is."""

    kind: PaperKind
    received_on: date
    reference: Annotated[str, Field(max_length=200)]
    person_id: UUID | None = None
    attachment_id: UUID | None = None

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


class DeclarationIn(_In):
    """What the applicant declares beside the file, for the means test."""

    declared_on: date
    declaration: Declaration


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
    """The township's opinion; the category applied for stands where none is given.

    ``missing_sources`` gives the officer's reason to go on by source that has not answered,
    ``without_report`` his reason to go on without any verification report.
    """

    given_on: date
    in_favour: bool
    words: Words
    category: Category | None = None
    amount: Amount | None = None
    missing_sources: Annotated[dict[Source, Words], Field(max_length=20)] = {}
    without_report: Words = ""


class IdentificationIn(_In):
    """The county's decision in favour; category and amount of the opinion unless given."""

    decided_on: date
    reason: Words = ""
    category: Category | None = None
    amount: Amount | None = None
    tags: tuple[Category, ...] | None = None
    missing_evidence: Annotated[tuple[EvidenceCode, ...], Field(max_length=50)] = ()


class RefusalIn(_In):
    """The county's decision against: why, and which tests failed, in words."""

    decided_on: date
    reason: Words
    failed_tests: Annotated[tuple[Words, ...], Field(max_length=20)] = ()


class CorrectionIn(_In):
    """What was wrong with a decision; category or amount as they should be, of one in favour."""

    decided_on: date
    error_found: Words
    reason: Words
    category: Category | None = None
    amount: Amount | None = None


class DeliveryIn(_In):
    """How a written refusal reached the applicant; ``reference`` says where its proof is kept."""

    delivered_on: date
    delivery: Delivery
    reference: Annotated[str, Field(max_length=200)]


class WithdrawalIn(_In):
    """That the applicant no longer wants it, and why."""

    withdrawn_on: date
    reason: Words


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PaperOut(_Out):
    """A paper of the case."""

    paper_id: UUID
    kind: PaperKind
    person_id: UUID | None
    reference: str
    attachment_id: UUID | None
    received_on: date
    received_by: str


class MissingOut(_Out):
    """A paper that is missing, and whose."""

    kind: PaperKind
    person_id: UUID | None


class DeclarationOut(_Out):
    """A declaration; the newest of a case holds."""

    declaration_id: UUID
    round: int
    declared_on: date
    declaration: Any
    entered_by: str


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
    report_id: UUID | None
    missing_sources: dict[str, str]
    without_report: str
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
    delegation_id: UUID | None
    reason: str
    failed_tests: list[str]
    rule_set: RuleSet
    finding: Any
    report_id: UUID | None
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
    declarations: list[DeclarationOut]
    surveys: list[SurveyOut]
    appraisals: list[AppraisalOut]
    opinions: list[OpinionOut]
    decisions: list[DecisionOut]


class ExplanationOut(BaseModel):
    """The reckoning behind an application: every number, and in words as a citizen reads it.

    ``decided``: it is the one kept with the newest decision, and ``recomputes`` says whether it
    comes out the same when made again; before a decision it is that of today.
    """

    decided: bool
    finding: dict[str, Any]
    words: str
    articles: list[str]
    recomputes: bool
