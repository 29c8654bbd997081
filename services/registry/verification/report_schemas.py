"""Doubts, reports and late files as they go in and out."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.registry.integrity.rules import RecordKind
from services.registry.verification.kinds import DoubtKind
from services.registry.verification.schemas import Words
from services.registry.verification.sources import (
    Conclusion,
    ItemState,
    Outcome,
    Severity,
    Source,
)
from shared.asked import Month
from shared.contracts.registry import Category

Strict = ConfigDict(extra="forbid")


class Settlement(BaseModel):
    """How a doubt is settled, in words; an explanation names its proof."""

    model_config = Strict

    outcome: Outcome
    words: Words
    proof: Annotated[str, Field(max_length=200)] = ""


class DoubtOut(BaseModel):
    """A doubt; ``outcome`` is null while it is open.

    ``need``: ``waiting``, then what followed (``lead``, ``return_check``, ``nothing``), where it
    shows a need that the file does not declare.
    """

    doubt_id: UUID
    verification_id: UUID
    household_id: UUID
    subject_id: UUID
    source: Source
    kind: DoubtKind
    severity: Severity
    detail: dict[str, str]
    opened_on: date
    due_on: date | None
    due_provisional: bool
    outcome: Outcome | None
    closed_on: date | None
    closed_by: str | None
    words: str
    proof: str
    need: str | None


class ReportIn(BaseModel):
    """A report that does without some sources says why."""

    model_config = Strict

    missing_reason: Words = ""


class PersonShown(BaseModel):
    """Somebody of whom a report speaks, masked without pii:read."""

    subject_id: UUID
    name: str
    id_number: str | None


class MemberShown(PersonShown):
    """A member and his relation to the head."""

    relation: str


class ReportItem(BaseModel):
    """What one source said of one person; ``answer`` has the shape of that source."""

    subject_id: UUID
    source: Source
    state: ItemState
    failure: str | None
    answered_at: datetime | None
    answer: Any


class ReportDoubt(BaseModel):
    """A doubt as it stood when the report was made."""

    subject_id: UUID
    source: Source
    kind: DoubtKind
    outcome: Outcome | None
    detail: dict[str, str]


class ReportRecord(BaseModel):
    """An integrity record that stood when the report was made, and on which paper."""

    subject_id: UUID
    kind: RecordKind
    document: str
    found_on: date
    valid_until: date


class ReportSummary(BaseModel):
    """A report in a list; valid up to and with ``valid_until``."""

    report_id: UUID
    report_number: str
    verification_id: UUID
    household_id: UUID
    aid_type: Category
    made_on: date
    valid_until: date
    conclusion: Conclusion
    missing_sources: list[Source]
    print_count: int


class ReportOut(ReportSummary):
    """A report whole: it says consistent, doubtful or not returned, and refuses nobody.

    ``integrity`` is null where nobody looked: in reports older than the integrity records.
    """

    purpose: str
    from_month: Annotated[Month, Field(validation_alias="window_from")]
    to_month: Annotated[Month, Field(validation_alias="window_to")]
    made_at: datetime
    made_by: str
    missing_reason: str
    applicant: PersonShown
    members: list[MemberShown]
    obligors: list[PersonShown]
    integrity: list[ReportRecord] | None
    items_checked: int
    doubtful_sources: list[Source]
    items: list[ReportItem]
    doubts: list[ReportDoubt]
    notes: list[str]
    issued_by: str


class LineRefusal(BaseModel):
    """A line of a file, counted from 1, that was not taken, and the rule that refused it."""

    line: int
    code: str


class FileReceived(BaseModel):
    """What became of a late file's lines."""

    source: Source
    lines: int
    stored: int
    unchanged: int
    refusals: list[LineRefusal]
