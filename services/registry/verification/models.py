"""What is stored of verifications (C20): authorisations, questions, doubts and reports.

Names and numbers of obligors, answers and reports are encrypted; an answer is kept beside its
question, a report by itself, for it outlives the answers.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Codes, Json, Moment, OptionalCode

OptionalMoment = Annotated[datetime | None, mapped_column(TIMESTAMP(timezone=True))]


class Obligor(Base):
    """Somebody outside the household who owes one of its members support."""

    __tablename__ = "obligors"

    obligor_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    supports_person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.person_id"))
    relation: Mapped[Code]
    name_encrypted: Mapped[bytes]
    id_number_encrypted: Mapped[bytes]
    id_number_hash: Mapped[bytes]
    ended_on: Mapped[date | None]
    ended_reason: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_obligors_household_id_id_number_hash",
            "household_id",
            "id_number_hash",
            unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
    )


class Authorization(Base):
    """One signed authorisation: whose data, from which sources, for what and how long.

    ``subject_id`` is a person_id or an obligor_id. Never changed but for its end: a newer version
    is another row.
    """

    __tablename__ = "authorizations"

    authorization_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    subject_kind: Mapped[Code]
    subject_id: Mapped[UUID]
    version: Mapped[int]
    sources: Mapped[Codes]
    purpose: Mapped[str] = mapped_column(Text)
    signed_on: Mapped[date]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    document: Mapped[str] = mapped_column(Text)
    guardian_person_id: Mapped[UUID | None]
    guardian_name_encrypted: Mapped[bytes | None]
    revoked_on: Mapped[date | None]
    revoked_by: Mapped[OptionalCode]
    revoked_reason: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_authorizations_household_id_subject_id_version",
            "household_id",
            "subject_id",
            "version",
            unique=True,
        ),
    )


class Verification(Base):
    """One request: a household, an income window, a purpose; its id is the case number outside.

    The declared facts are those of the file on ``requested_on`` as known at ``requested_at``.
    ``period`` is the first day of the month or half-year that a scheduled check belongs to.
    """

    __tablename__ = "verifications"

    verification_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    kind: Mapped[Code]
    period: Mapped[date | None]
    aid_type: Mapped[Code]
    purpose: Mapped[str] = mapped_column(Text)
    window_from: Mapped[date]
    window_to: Mapped[date]
    revision: Mapped[int] = mapped_column(BigInteger)
    requested_on: Mapped[date]
    requested_at: Mapped[Moment]
    requested_by: Mapped[Code]
    stopped_on: Mapped[date | None]

    __table_args__ = (
        Index("ix_verifications_household_id", "household_id", "verification_id"),
        Index(
            "uq_verifications_kind_period_household_id",
            "kind",
            "period",
            "household_id",
            unique=True,
            postgresql_where=text("period IS NOT NULL"),
        ),
    )


class Item(Base):
    """One question: one person, one source. ``due_at`` is when something is to be done next."""

    __tablename__ = "verification_items"

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    verification_id: Mapped[UUID] = mapped_column(
        ForeignKey("verifications.verification_id"), primary_key=True
    )
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[Code] = mapped_column(primary_key=True)
    division_code: Mapped[Code]
    subject_kind: Mapped[Code]
    authorization_id: Mapped[UUID] = mapped_column(ForeignKey("authorizations.authorization_id"))
    state: Mapped[Code]
    failure: Mapped[OptionalCode]
    attempts: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[OptionalMoment]
    sent_at: Mapped[OptionalMoment]
    answered_at: Mapped[OptionalMoment]
    answer_encrypted: Mapped[bytes | None]

    __table_args__ = (
        Index(
            "ix_verification_items_source",
            "source",
            "due_at",
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_verification_items_kept",
            "division_code",
            "answered_at",
            postgresql_where=text("answer_encrypted IS NOT NULL"),
        ),
    )


class Doubt(Base):
    """Where an answer differs from what the file declares, and how it was settled.

    ``detail`` holds figures and codes, never who. ``due_provisional`` as with return checks.
    ``need``: ``waiting``, then what followed (``Following``), where it shows one that the file does
    not declare.
    """

    __tablename__ = "verification_doubts"

    doubt_id: Mapped[UUID] = mapped_column(primary_key=True)
    verification_id: Mapped[UUID] = mapped_column(ForeignKey("verifications.verification_id"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    subject_id: Mapped[UUID]
    source: Mapped[Code]
    kind: Mapped[Code]
    severity: Mapped[Code]
    detail: Mapped[Json]
    opened_on: Mapped[date]
    due_on: Mapped[date | None]
    due_provisional: Mapped[bool] = mapped_column(Boolean)
    outcome: Mapped[OptionalCode]
    closed_on: Mapped[date | None]
    closed_by: Mapped[OptionalCode]
    words: Mapped[str] = mapped_column(Text)
    proof: Mapped[str] = mapped_column(Text)
    need: Mapped[OptionalCode]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_verification_doubts_verification_id_subject_id_source_kind",
            "verification_id",
            "subject_id",
            "source",
            "kind",
            unique=True,
        ),
        Index("ix_verification_doubts_household_id", "household_id"),
        Index(
            "ix_verification_doubts_need",
            "doubt_id",
            postgresql_where=text("need = 'waiting'"),
        ),
    )


class Report(Base):
    """A report as it was made, names left out; ``print_count`` alone moves afterwards."""

    __tablename__ = "verification_reports"

    report_id: Mapped[UUID] = mapped_column(primary_key=True)
    report_number: Mapped[Code] = mapped_column(unique=True)
    verification_id: Mapped[UUID] = mapped_column(ForeignKey("verifications.verification_id"))
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    made_on: Mapped[date]
    made_at: Mapped[Moment]
    made_by: Mapped[Code]
    valid_until: Mapped[date]
    conclusion: Mapped[Code]
    missing_sources: Mapped[Codes]
    missing_reason: Mapped[str] = mapped_column(Text)
    content_encrypted: Mapped[bytes]
    print_count: Mapped[int]

    __table_args__ = (Index("ix_verification_reports_household_id", "household_id", "made_at"),)


class ReportSerial(Base):
    """The last serial given to a report in a village and year."""

    __tablename__ = "verification_serials"

    division_code: Mapped[Code] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
