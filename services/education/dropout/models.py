"""Dropout cases: one open a child, kept for good (C33)."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.education.db import Base


class DropoutCase(Base):
    """A child reported missing at school, and how it ended. Its id is the hardship's id too."""

    __tablename__ = "dropout_cases"
    __table_args__ = (
        CheckConstraint("(closed_on IS NULL) = (outcome IS NULL)", name="closed_with_outcome"),
        CheckConstraint(
            "outcome IS NULL OR outcome = 'reported_in_error' OR proof IS NOT NULL",
            name="closed_with_proof",
        ),
        Index(
            "uq_dropout_cases_open",
            "person_id",
            unique=True,
            postgresql_where="closed_on IS NULL",
        ),
        Index("ix_dropout_cases_person", "person_id"),
        Index("ix_dropout_cases_division", "division_code", "case_id"),
    )

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    kind: Mapped[str] = mapped_column(Text)
    reported_by: Mapped[str] = mapped_column(Text)
    absent_since: Mapped[date]
    opened_by: Mapped[str] = mapped_column(Text)
    opened_on: Mapped[date]
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None] = mapped_column(Text)
    proof_kind: Mapped[str | None] = mapped_column(Text)
    proof: Mapped[str | None] = mapped_column(Text)
    closed_on: Mapped[date | None]
    closed_by: Mapped[str | None] = mapped_column(Text)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
