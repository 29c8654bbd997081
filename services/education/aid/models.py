"""Aid runs and aid, one row a person, term and programme; the unique key holds whatever the code
does.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.education.db import Base


class AidRun(Base):
    """One order to grant a term's aid in a division, and who said that it was paid."""

    __tablename__ = "aid_runs"
    __table_args__ = (
        CheckConstraint("(paid_on IS NULL) = (paid_by IS NULL)", name="paid_by_somebody"),
        CheckConstraint("paid_by <> created_by", name="two_officers"),
        Index("ix_aid_runs_division", "division_code", "term"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    term: Mapped[str] = mapped_column(Text)
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    job_id: Mapped[UUID]
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    paid_on: Mapped[date | None]
    paid_by: Mapped[str | None] = mapped_column(Text)
    pay_job_id: Mapped[UUID | None]


class Aid(Base):
    """One pupil's aid of one term, in yuan; ``version`` counts its published states."""

    __tablename__ = "aid"
    __table_args__ = (
        UniqueConstraint("person_id", "term", "programme", name="uq_aid_once_a_term"),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_aid_run", "run_id", "aid_id"),
        Index("ix_aid_division", "division_code", "aid_id"),
        Index("ix_aid_household", "household_id", "aid_id"),
    )

    aid_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("aid_runs.run_id"))
    person_id: Mapped[UUID]
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    term: Mapped[str] = mapped_column(Text)
    month: Mapped[date]
    programme: Mapped[str] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    fund: Mapped[str] = mapped_column(Text)
    parameter_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(Text)
    granted_on: Mapped[date]
    paid_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(BigInteger)


class AidException(Base):
    """A pupil who was due in a run and got nothing, and why, for an officer to settle."""

    __tablename__ = "aid_exceptions"
    __table_args__ = (
        UniqueConstraint("run_id", "person_id", "code", name="uq_aid_exceptions_once"),
        Index("ix_aid_exceptions_division", "division_code"),
    )

    exception_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("aid_runs.run_id"))
    person_id: Mapped[UUID]
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    code: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
