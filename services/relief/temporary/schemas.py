"""How applications for temporary assistance and reserve funds look in requests and answers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.relief.temporary.fund_rules import EntryKind
from services.relief.temporary.paper_rules import Paper
from services.relief.temporary.rules import (
    Cause,
    Form,
    Kind,
    Level,
    ReferralOutcome,
    ReferredTo,
    State,
)
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.notices import NoticeOutcome, NoticeStatus

Strict = ConfigDict(extra="forbid", str_strip_whitespace=True)
Words = Annotated[str, Field(max_length=2000)]
Yuan = Annotated[Decimal, Field(max_digits=14, decimal_places=2, gt=0)]
Factor = Annotated[Decimal, Field(max_digits=4, decimal_places=2)]
Day = Annotated[date, Field(ge=date(2014, 11, 1), le=date(2100, 1, 1))]
Village = Annotated[str, Field(pattern="^([0-9]{9}|[0-9]{12})$", examples=["331124002221"])]
TownshipCode = Annotated[str, Field(pattern="^[0-9]{9}$", examples=["331124002"])]


class PaperIn(BaseModel):
    """One paper: what it proves, and its reference in the paper file."""

    model_config = Strict

    kind: Paper
    reference: Annotated[str, Field(min_length=1, max_length=200)]


class ApplicationIn(BaseModel):
    """What a household asks for.

    Of a household that relief has a copy of, all who count are helped and its head applies where
    nobody is named. Of another one the village (``division_code``), the people, the applicant and
    his birth date, as his card has it, are needed.
    """

    model_config = Strict

    household_id: UUID
    division_code: Village | None = None
    kind: Kind
    cause: Cause
    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=50)] | None = None
    applicant_person_id: UUID | None = None
    applicant_birth_date: date | None = None
    happened_on: Day
    applied_on: Day
    words: Words
    papers: Annotated[list[PaperIn], Field(max_length=50)] = []


class CheckIn(BaseModel):
    """A survey; of a household on assistance the check of its expense (yuan) alone."""

    model_config = Strict

    checked_on: Day
    words: Words
    expense: Yuan | None = None


class OpinionIn(BaseModel):
    """The township's opinion; one for helping names the factor and is announced at once."""

    model_config = Strict

    favourable: bool
    factor: Factor | None = None
    hard_reason: Words | None = None
    words: Words


class StageIn(BaseModel):
    """One instalment in yuan; goods count with their fair value and are named."""

    model_config = Strict

    form: Form
    amount: Yuan
    due_on: Day
    words: Words = ""


class AwardIn(BaseModel):
    """What is to be given; the stages add up to line x factor x persons, to the fen.

    Without stages it is given at once: all of it, in cash, due today.
    """

    model_config = Strict

    factor: Factor
    hard_reason: Words | None = None
    stages: Annotated[list[StageIn], Field(min_length=1, max_length=24)] | None = None


class ReasonIn(BaseModel):
    """Why, in words."""

    model_config = Strict

    reason: Words


class PapersIn(BaseModel):
    """The papers that follow help paid first."""

    model_config = Strict

    received_on: Day
    papers: Annotated[list[PaperIn], Field(min_length=1, max_length=50)]


class ReferralIn(BaseModel):
    """Where a household is sent on to, and why."""

    model_config = Strict

    referred_to: ReferredTo
    referred_on: Day
    words: Words


class ReferralEnd(BaseModel):
    """What came of it."""

    model_config = Strict

    outcome: ReferralOutcome
    ended_on: Day
    words: Words = ""


class PaidIn(BaseModel):
    """The day on which a stage reached the household."""

    model_config = Strict

    paid_on: Day


class FundEntryIn(BaseModel):
    """What the county enters of a township's fund: allotted, accounted or topped_up, in yuan."""

    model_config = Strict

    kind: EntryKind
    amount: Yuan
    document_number: Annotated[str, Field(min_length=1, max_length=200)]


class ApplicationView(BaseModel):
    """An application as it stands, without words."""

    model_config = ConfigDict(from_attributes=True)

    application_id: UUID
    household_id: UUID
    division_code: str
    kind: Kind
    cause: Cause
    person_ids: list[UUID]
    applicant_person_id: UUID
    happened_on: date
    applied_on: date
    known: bool
    recipient: bool
    state: State
    entered_by: str
    papers: list[PaperIn]
    papers_due_on: date | None
    papers_due_provisional: bool
    papers_on: date | None
    papers_overdue_since: date | None


class StepView(BaseModel):
    """One step with its officer; none where the day itself brought it."""

    step: str
    officer_id: str | None
    on_day: date
    words: str | None
    detail: dict[str, Any]
    recorded_at: datetime


class NoticeView(BaseModel):
    """A notice that was asked for, and what came of it; ``status`` null until notify took it up."""

    notice_request_id: UUID
    factor: Decimal
    amount: Decimal
    requested_on: date
    withdrawn_on: date | None
    status: NoticeStatus | None
    posted_on: date | None
    last_day: date | None
    objections: int | None
    outcome: NoticeOutcome | None
    refusal: str | None
    closed_on: date | None


class DecisionView(BaseModel):
    """The decision with its explanation; ``text`` is for the citizen, with the officer's reason."""

    outcome: State
    level: Level
    factor: Decimal | None
    amount: Decimal
    fund: str | None
    decided_on: date
    decided_by: str
    reason: str | None
    text: str
    explanation: dict[str, Any]


class StageView(BaseModel):
    """One instalment, in yuan."""

    stage_id: UUID
    position: int
    form: Form
    amount: Decimal
    fund: str
    words: str | None
    due_on: date
    status: AssistanceStatus
    approved_on: date
    approved_by: str
    paid_on: date | None
    paid_by: str | None
    version: int


class ReferralView(BaseModel):
    """A referral and its outcome, once there is one."""

    referral_id: UUID
    referred_to: ReferredTo
    referred_on: date
    referred_by: str
    words: str | None
    outcome: ReferralOutcome | None
    ended_on: date | None
    ended_by: str | None
    outcome_words: str | None


class WholeView(ApplicationView):
    """An application with every step, notice, decision, stage and referral."""

    words: str | None
    steps: list[StepView]
    notices: list[NoticeView]
    decision: DecisionView | None
    stages: list[StageView]
    referrals: list[ReferralView]


class FundView(BaseModel):
    """A township's reserve fund, in yuan: balance = allotted + topped_up - paid + returned."""

    division_code: str
    balance: Decimal
    allotted: Decimal
    topped_up: Decimal
    paid: Decimal
    returned: Decimal
    accounted: Decimal
    unaccounted: Decimal
    to_top_up: Decimal


class FundList(BaseModel):
    """The funds of a division by township code."""

    items: list[FundView]


class FundEntryView(BaseModel):
    """One movement of a fund and what was left after it, in yuan."""

    model_config = ConfigDict(from_attributes=True)

    entry_id: UUID
    kind: EntryKind
    amount: Decimal
    balance_after: Decimal
    application_id: UUID | None
    document_number: str | None
    entered_on: date
    entered_by: str
