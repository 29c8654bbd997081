"""Premium runs and subsidies, one a person and insured year whatever the code does."""

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
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.relief.db import Base


class PremiumRun(Base):
    """One order to subsidise a division's people for an insured year, signed by an officer."""

    __tablename__ = "premium_runs"
    __table_args__ = (Index("ix_premium_runs_division", "division_code", "year"),)

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger)
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    enrolled_on: Mapped[date]
    job_id: Mapped[UUID]
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    paid_on: Mapped[date | None]
    confirmed_by: Mapped[str | None] = mapped_column(Text)


class PremiumSubsidy(Base):
    """What of one person's contribution is paid, in yuan; ``version`` counts published states."""

    __tablename__ = "premium_subsidies"
    __table_args__ = (
        UniqueConstraint("person_id", "year", name="uq_premium_subsidies_once_a_year"),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_premium_subsidies_run", "run_id", "subsidy_id"),
        Index("ix_premium_subsidies_division", "division_code", "subsidy_id"),
        Index("ix_premium_subsidies_household", "household_id", "year"),
    )

    subsidy_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("premium_runs.run_id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    person_id: Mapped[UUID]
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    category: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    basis: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(Text)
    granted_on: Mapped[date]
    paid_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(BigInteger)


class PremiumException(Base):
    """Somebody of a household on assistance whom a run did not subsidise, and why."""

    __tablename__ = "premium_exceptions"
    __table_args__ = (
        UniqueConstraint("run_id", "household_id", "person_id", name="uq_premium_exceptions_once"),
        Index("ix_premium_exceptions_division", "division_code"),
    )

    exception_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("premium_runs.run_id"))
    household_id: Mapped[UUID]
    person_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    code: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
