"""What is stored of applications (C4): the application as it stands, and every paper of its case.

Surveys, appraisals, opinions and decisions are never rewritten; ``round`` counts how often the case
was taken up, one more for every objection upheld and every decision found wrong.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Json, Moment, OptionalCode


class Application(Base):
    """One household's application for one category; a household has at most one open.

    ``due_on`` is the last day of the step that waits. ``papers_told`` is the one list of missing
    papers that the applicant was given. ``sampled`` is empty until the opinion, when the lot falls.
    """

    __tablename__ = "applications"

    application_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    category: Mapped[Code]
    state: Mapped[Code]
    round: Mapped[int]
    applicant_person_id: Mapped[UUID | None]
    applied_on: Mapped[date]
    papers_told: Mapped[Json]
    accepted_on: Mapped[date | None]
    staff_relative: Mapped[bool]
    sample_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))
    sampled: Mapped[bool | None]
    notice_request_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("notice_requests.notice_request_id")
    )
    due_on: Mapped[date | None]
    due_provisional: Mapped[bool]
    ended_on: Mapped[date | None]
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)
    opened_by: Mapped[Code]
    revision: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_applications_open",
            "household_id",
            unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
        Index("ix_applications_household_id", "household_id"),
        Index("ix_applications_division_code", "division_code", "application_id"),
        Index("ix_applications_notice_request_id", "notice_request_id"),
    )


class ApplicationPaper(Base):
    """One paper of the case; ``reference`` says where it is kept, ``person_id`` whose it is.

    ``attachment_id``: its scan, where there is one.
    """

    __tablename__ = "application_papers"

    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.application_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    kind: Mapped[Code]
    person_id: Mapped[UUID | None]
    reference: Mapped[str] = mapped_column(Text)
    attachment_id: Mapped[UUID | None]
    received_on: Mapped[date]
    received_by: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_application_papers_application_id", "application_id"),)


class ApplicationDeclaration(Base):
    """What the applicant declared beside the file (申报); the newest of a case holds."""

    __tablename__ = "application_declarations"

    declaration_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.application_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    round: Mapped[int]
    declared_on: Mapped[date]
    declaration: Mapped[Json]
    entered_by: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_application_declarations_application_id", "application_id"),)


class ApplicationSurvey(Base):
    """A visit to the household: the township's survey, or the county's own visit."""

    __tablename__ = "application_surveys"

    survey_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.application_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    round: Mapped[int]
    kind: Mapped[Code]
    surveyed_on: Mapped[date]
    neighbours_heard: Mapped[int]
    findings: Mapped[str] = mapped_column(Text)
    entered_by: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_application_surveys_application_id", "application_id"),)


class SurveySignature(Base):
    """One officer's signature under a survey, by his own account."""

    __tablename__ = "survey_signatures"

    survey_id: Mapped[UUID] = mapped_column(
        ForeignKey("application_surveys.survey_id"), primary_key=True
    )
    officer_id: Mapped[Code] = mapped_column(primary_key=True)
    application_id: Mapped[UUID]
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_survey_signatures_application_id", "application_id"),)


class ApplicationAppraisal(Base):
    """A democratic appraisal (民主评议) and what it came to."""

    __tablename__ = "application_appraisals"

    appraisal_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.application_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    round: Mapped[int]
    held_on: Mapped[date]
    participants: Mapped[int]
    villagers: Mapped[int]
    in_favour: Mapped[int]
    minutes: Mapped[str] = mapped_column(Text)
    entered_by: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_application_appraisals_application_id", "application_id"),)


class ApplicationOpinion(Base):
    """The township's opinion (初审意见), in words, and the verification report it rests on.

    ``missing_sources`` are those the officer goes without, each with his reason;
    ``without_report`` is his reason to go without any report.
    """

    __tablename__ = "application_opinions"

    opinion_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.application_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    round: Mapped[int]
    given_on: Mapped[date]
    in_favour: Mapped[bool]
    category: Mapped[Code]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    words: Mapped[str] = mapped_column(Text)
    report_id: Mapped[UUID | None]
    missing_sources: Mapped[Json]
    without_report: Mapped[str] = mapped_column(Text)
    officer_id: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_application_opinions_application_id", "application_id"),)


class ApplicationDecision(Base):
    """A decision on an application with all it was made on; ``corrects`` names the one it replaces.

    ``finding`` is the means test with its facts, parameters and trace, so that it can be made
    again; ``failed_tests`` are the tests of a refusal in words; ``delegation_id`` is by what a
    township decided, ``decided_in`` the village of that day, wherever the household moves. Only its
    delivery is entered later.
    """

    __tablename__ = "application_decisions"

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.application_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    round: Mapped[int]
    outcome: Mapped[Code]
    category: Mapped[Code]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    decided_on: Mapped[date]
    officer_id: Mapped[Code]
    bureau: Mapped[OptionalCode]
    decided_in: Mapped[OptionalCode]
    delegation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("decision_delegations.delegation_id")
    )
    reason: Mapped[str] = mapped_column(Text)
    failed_tests: Mapped[Json]
    rule_set: Mapped[Code]
    finding: Mapped[Json | None]
    report_id: Mapped[UUID | None]
    corrects: Mapped[UUID | None] = mapped_column(ForeignKey("application_decisions.decision_id"))
    error_found: Mapped[str | None] = mapped_column(Text)
    delivered_on: Mapped[date | None]
    delivery: Mapped[OptionalCode]
    delivered_by: Mapped[OptionalCode]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_application_decisions_application_id", "application_id"),)


class StaffRelative(Base):
    """A person related to staff of the assistance offices or to a village committee (R29).

    ``position`` says in words whose relative, by office and not by name.
    """

    __tablename__ = "staff_relatives"

    staff_relative_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.person_id"))
    division_code: Mapped[Code]
    kind: Mapped[Code]
    position: Mapped[str] = mapped_column(Text)
    relation: Mapped[str] = mapped_column(Text)
    staff_officer_id: Mapped[OptionalCode]
    registered_on: Mapped[date]
    registered_by: Mapped[Code]
    ended_on: Mapped[date | None]
    ended_by: Mapped[OptionalCode]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("ix_staff_relatives_person_id", "person_id"),
        Index("ix_staff_relatives_division_code", "division_code", "staff_relative_id"),
    )


class DecisionDelegation(Base):
    """That a township (``division_code``) decides on a category in the county's name (R29).

    In force once another officer has approved it; ``ended_on`` is its last day.
    """

    __tablename__ = "decision_delegations"

    delegation_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[Code]
    category: Mapped[Code]
    valid_from: Mapped[date]
    document: Mapped[str] = mapped_column(Text)
    entered_by: Mapped[Code]
    approved_by: Mapped[OptionalCode]
    approved_on: Mapped[date | None]
    ended_by: Mapped[OptionalCode]
    ended_on: Mapped[date | None]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_decision_delegations_standing",
            "division_code",
            "category",
            unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
        Index("ix_decision_delegations_division_code", "division_code", "delegation_id"),
    )
