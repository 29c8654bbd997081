"""Applications for temporary assistance, every step of them, and what was given (C18, C19).

What an officer writes is encrypted, since names and illnesses stand in it. Steps and decisions are
added, never changed.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from services.relief.columns import Code, Moment, OptionalCode, Yuan
from services.relief.db import Base

Factor = Annotated[Decimal, mapped_column(Numeric(6, 2))]


class Application(Base):
    """One household asks for help with one thing that happened.

    ``known`` says that relief has a copy of the household, ``recipient`` that it was on assistance
    when it applied: its means are known and only the expense is checked. ``papers_due_on`` stands
    once help was paid first.
    """

    __tablename__ = "temporary_applications"
    __table_args__ = (
        CheckConstraint("cardinality(person_ids) > 0", name="somebody_helped"),
        Index("ix_temporary_applications_division", "division_code", "application_id"),
        Index("ix_temporary_applications_household", "household_id"),
        Index(
            "ix_temporary_applications_papers",
            "papers_due_on",
            postgresql_where=text("papers_due_on IS NOT NULL AND papers_on IS NULL"),
        ),
    )

    application_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    kind: Mapped[Code]
    cause: Mapped[Code]
    person_ids: Mapped[list[UUID]] = mapped_column(ARRAY(PG_UUID(as_uuid=True)))
    applicant_person_id: Mapped[UUID]
    applicant_birth_date: Mapped[date]
    happened_on: Mapped[date]
    applied_on: Mapped[date]
    words_encrypted: Mapped[bytes]
    papers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    known: Mapped[bool]
    recipient: Mapped[bool]
    state: Mapped[Code]
    entered_by: Mapped[Code]
    papers_due_on: Mapped[date | None]
    papers_due_provisional: Mapped[bool]
    papers_on: Mapped[date | None]
    papers_overdue_since: Mapped[date | None]
    recorded_at: Mapped[Moment]


class Step(Base):
    """One thing an officer did about an application; ``on_day`` is the day he says it was done."""

    __tablename__ = "temporary_steps"
    __table_args__ = (Index("ix_temporary_steps_application", "application_id", "step_id"),)

    step_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("temporary_applications.application_id")
    )
    division_code: Mapped[Code]
    step: Mapped[Code]
    officer_id: Mapped[OptionalCode]
    on_day: Mapped[date]
    words_encrypted: Mapped[bytes | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[Moment]


class Notice(Base):
    """The public notice that an application asked for, and what notify last said of it.

    ``version`` is that of our request, ``notice_version`` that of notify's notice: each is written
    by one side only.
    """

    __tablename__ = "temporary_notices"
    __table_args__ = (Index("ix_temporary_notices_application", "application_id"),)

    notice_request_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("temporary_applications.application_id")
    )
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    factor: Mapped[Factor]
    amount: Mapped[Yuan]
    requested_on: Mapped[date]
    withdrawn_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(BigInteger)
    notice_id: Mapped[UUID | None]
    notice_version: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[OptionalCode]
    posted_on: Mapped[date | None]
    last_day: Mapped[date | None]
    objections: Mapped[int | None]
    outcome: Mapped[OptionalCode]
    refusal: Mapped[OptionalCode]
    closed_on: Mapped[date | None]
    recorded_at: Mapped[Moment]


class Decision(Base):
    """The decision on an application, with all that it rests on; ``amount`` 0 for a refusal.

    ``fund`` is what it is paid from. ``reason_encrypted``: why refused, or why specially hard.
    """

    __tablename__ = "temporary_decisions"
    __table_args__ = (
        UniqueConstraint("application_id", name="uq_temporary_decisions_once"),
        CheckConstraint("(outcome = 'approved') = (amount > 0)", name="approved_with_amount"),
        Index("ix_temporary_decisions_household", "household_id", "cause"),
    )

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("temporary_applications.application_id")
    )
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    cause: Mapped[Code]
    outcome: Mapped[Code]
    level: Mapped[Code]
    factor: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    amount: Mapped[Yuan]
    fund: Mapped[OptionalCode]
    decided_on: Mapped[date]
    decided_by: Mapped[Code]
    reason_encrypted: Mapped[bytes | None]
    explanation: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[Moment]


class Stage(Base):
    """One instalment of an approval; ``version`` counts its published states."""

    __tablename__ = "temporary_stages"
    __table_args__ = (
        UniqueConstraint("application_id", "position", name="uq_temporary_stages_position"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("paid_by <> approved_by", name="two_people"),
        CheckConstraint("(paid_on IS NULL) = (paid_by IS NULL)", name="paid_and_signed"),
        Index("ix_temporary_stages_division", "division_code"),
    )

    stage_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("temporary_applications.application_id")
    )
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    position: Mapped[int]
    form: Mapped[Code]
    amount: Mapped[Yuan]
    fund: Mapped[Code]
    words_encrypted: Mapped[bytes | None]
    due_on: Mapped[date]
    status: Mapped[Code]
    approved_on: Mapped[date]
    approved_by: Mapped[Code]
    paid_on: Mapped[date | None]
    paid_by: Mapped[OptionalCode]
    version: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[Moment]


class Referral(Base):
    """A household sent on to another programme (转介), and what came of it."""

    __tablename__ = "temporary_referrals"
    __table_args__ = (
        CheckConstraint("(outcome IS NULL) = (ended_on IS NULL)", name="ended_with_outcome"),
        Index("ix_temporary_referrals_application", "application_id"),
    )

    referral_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(
        ForeignKey("temporary_applications.application_id")
    )
    division_code: Mapped[Code]
    referred_to: Mapped[Code]
    referred_on: Mapped[date]
    referred_by: Mapped[Code]
    words_encrypted: Mapped[bytes]
    outcome: Mapped[OptionalCode]
    ended_on: Mapped[date | None]
    ended_by: Mapped[OptionalCode]
    outcome_words_encrypted: Mapped[bytes | None]
    recorded_at: Mapped[Moment]


class PettyFund(Base):
    """A township's reserve fund: the sums of its entries; never below zero, whatever the code does.

    ``division_code`` is the township's nine digits.
    """

    __tablename__ = "petty_funds"
    __table_args__ = (
        CheckConstraint("allotted + topped_up - paid + returned >= 0", name="never_below_zero"),
    )

    division_code: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    allotted: Mapped[Yuan]
    paid: Mapped[Yuan]
    returned: Mapped[Yuan]
    accounted: Mapped[Yuan]
    topped_up: Mapped[Yuan]
    recorded_at: Mapped[Moment]


class PettyFundEntry(Base):
    """One movement of a fund, with what was left after it."""

    __tablename__ = "petty_fund_entries"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("balance_after >= 0", name="never_below_zero"),
        Index("ix_petty_fund_entries_fund", "division_code", "entry_id"),
    )

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[str] = mapped_column(
        Text(collation="C"), ForeignKey("petty_funds.division_code")
    )
    kind: Mapped[Code]
    amount: Mapped[Yuan]
    balance_after: Mapped[Yuan]
    application_id: Mapped[UUID | None]
    document_number: Mapped[str | None] = mapped_column(Text)
    entered_on: Mapped[date]
    entered_by: Mapped[Code]
    recorded_at: Mapped[Moment]
