"""Tekun decisions, and what they rest on: assessments, forms of support, institutions (C57, R25).

All are history: an assessment is confirmed or withdrawn once, nothing else ever changes but the
division, which follows a household that moves.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.relief.columns import Code, Moment, Words
from services.relief.db import Base
from services.relief.schedules import models as schedules


class Grant(schedules.Grant):
    """What one household is owed a month as tekun; ``payee`` says to whom it is paid."""

    __tablename__ = "tekun_grants"

    payee: Mapped[Words]
    institution_id: Mapped[UUID | None]


class Assessment(Base):
    """One look at one person: by ``assessor``, in force once ``confirmed_by`` another officer.

    ``withdrawn_at``: a later look was entered before this one was confirmed.
    """

    __tablename__ = "tekun_assessments"
    __table_args__ = (
        CheckConstraint("level IN ('able', 'partly', 'lost')", name="level_known"),
        CheckConstraint("confirmed_by <> assessor", name="two_people"),
        CheckConstraint(
            "num_nulls(confirmed_by, confirmed_at, confirmed_on) IN (0, 3)", name="confirmed_whole"
        ),
        CheckConstraint("num_nulls(confirmed_at, withdrawn_at) > 0", name="confirmed_or_withdrawn"),
        CheckConstraint("num_nonnulls(document_number, attachment_id) > 0", name="evidence"),
        Index(
            "uq_tekun_assessments_waiting",
            "person_id",
            unique=True,
            postgresql_where="confirmed_at IS NULL AND withdrawn_at IS NULL",
        ),
        Index("ix_tekun_assessments_household", "household_id", "assessment_id"),
        Index("ix_tekun_assessments_division", "division_code", "assessment_id"),
    )

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    person_id: Mapped[UUID]
    division_code: Mapped[Code]
    assessed_on: Mapped[date]
    failed: Mapped[list[str]] = mapped_column(ARRAY(Text))
    level: Mapped[Words]
    document_number: Mapped[Words | None]
    attachment_id: Mapped[UUID | None]
    assessor: Mapped[Words]
    entered_at: Mapped[Moment]
    confirmed_by: Mapped[Words | None]
    confirmed_at: Mapped[Moment | None]
    confirmed_on: Mapped[date | None]
    withdrawn_at: Mapped[Moment | None]


class Reassessment(Base):
    """A reported change of one person, to be looked at by ``due_on``; open until it was (TK 23)."""

    __tablename__ = "tekun_reassessments"
    __table_args__ = (
        Index(
            "uq_tekun_reassessments_open",
            "person_id",
            unique=True,
            postgresql_where="closed_on IS NULL",
        ),
        Index(
            "ix_tekun_reassessments_division",
            "division_code",
            "reassessment_id",
            postgresql_where="closed_on IS NULL",
        ),
        Index("ix_tekun_reassessments_household", "household_id", "reassessment_id"),
    )

    reassessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    person_id: Mapped[UUID]
    division_code: Mapped[Code]
    reason: Mapped[Words]
    reported_on: Mapped[date]
    reported_by: Mapped[Words]
    working_days: Mapped[int] = mapped_column(SmallInteger)
    due_on: Mapped[date]
    due_provisional: Mapped[bool]
    recorded_at: Mapped[Moment]
    closed_on: Mapped[date | None]
    assessment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tekun_assessments.assessment_id")
    )


class Institution(Base):
    """An institution that houses tekun people, once an account of its is confirmed."""

    __tablename__ = "tekun_institutions"
    __table_args__ = (
        UniqueConstraint("division_code", "name", name="uq_tekun_institutions_name"),
        Index("ix_tekun_institutions_division", "division_code", "institution_id"),
    )

    institution_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[Code]
    name: Mapped[Words]
    entered_by: Mapped[Words]
    entered_at: Mapped[Moment]


class InstitutionAccount(Base):
    """An account of an institution, encrypted; the one confirmed last is paid to.

    ``withdrawn_at``: another was entered before this one was confirmed.
    """

    __tablename__ = "tekun_institution_accounts"
    __table_args__ = (
        CheckConstraint("confirmed_by <> entered_by", name="two_people"),
        CheckConstraint("num_nulls(confirmed_by, confirmed_at) IN (0, 2)", name="confirmed_whole"),
        CheckConstraint("num_nulls(confirmed_at, withdrawn_at) > 0", name="confirmed_or_withdrawn"),
        Index(
            "uq_tekun_institution_accounts_waiting",
            "institution_id",
            unique=True,
            postgresql_where="confirmed_at IS NULL AND withdrawn_at IS NULL",
        ),
        Index("ix_tekun_institution_accounts_institution", "institution_id", "account_id"),
        Index("ix_tekun_institution_accounts_division", "division_code"),
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("tekun_institutions.institution_id"))
    division_code: Mapped[Code]
    bank: Mapped[Words]
    account_encrypted: Mapped[bytes]
    entered_by: Mapped[Words]
    entered_at: Mapped[Moment]
    confirmed_by: Mapped[Words | None]
    confirmed_at: Mapped[Moment | None]
    withdrawn_at: Mapped[Moment | None]


class Support(Base):
    """A person's form of support from ``valid_from`` until his next row; of one day the last."""

    __tablename__ = "tekun_supports"
    __table_args__ = (
        CheckConstraint("(form = 'centralised') = (institution_id IS NOT NULL)", name="where_fits"),
        Index("ix_tekun_supports_household", "household_id", "support_id"),
        Index("ix_tekun_supports_division", "division_code"),
    )

    support_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    person_id: Mapped[UUID]
    division_code: Mapped[Code]
    form: Mapped[Words]
    institution_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tekun_institutions.institution_id")
    )
    valid_from: Mapped[date]
    recorded_by: Mapped[Words]
    recorded_at: Mapped[Moment]
