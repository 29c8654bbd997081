"""Renovations of dangerous houses and the stages they went through; the unique keys hold always."""

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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.housing.db import Base


class Renovation(Base):
    """One renovation. ``stage`` is the last one done.

    ``category`` is the household's on the day of application. ``amount`` is the subsidy in yuan,
    known from the acceptance on, with all it was reckoned from in ``reckoning``. ``revision`` rises
    with every change and is the ETag, ``version`` with every published one: 1 accepted, 2 paid.
    """

    __tablename__ = "renovations"
    __table_args__ = (
        CheckConstraint("amount <= actual_cost", name="amount_within_cost"),
        CheckConstraint(
            "(stage IN ('accepted', 'paid')) = (amount IS NOT NULL)", name="amount_once_accepted"
        ),
        CheckConstraint("paid_by <> accepted_by", name="two_people"),
        Index(
            "uq_renovations_file",
            "file_id",
            unique=True,
            postgresql_where=text("stage <> 'cancelled'"),
        ),
        Index(
            "uq_renovations_running",
            "household_id",
            unique=True,
            postgresql_where=text("stage NOT IN ('accepted', 'paid', 'cancelled')"),
        ),
        Index("ix_renovations_household", "household_id", "renovation_id"),
        Index("ix_renovations_division", "division_code", "renovation_id"),
    )

    renovation_id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("dangerous_house_files.file_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    method: Mapped[str] = mapped_column(Text)
    disaster: Mapped[bool]
    category: Mapped[str] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(Text)
    applied_on: Mapped[date]
    appraised_grade: Mapped[str | None] = mapped_column(Text)
    plan_year: Mapped[int | None] = mapped_column(SmallInteger)
    contractor: Mapped[str | None] = mapped_column(Text)
    actual_cost: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    accepted_on: Mapped[date | None]
    accepted_by: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    reckoning: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    paid_on: Mapped[date | None]
    paid_by: Mapped[str | None] = mapped_column(Text)
    cancel_reason: Mapped[str | None] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)


class RenovationStage(Base):
    """One stage of one renovation, signed by who recorded it; never changed afterwards."""

    __tablename__ = "renovation_stages"
    __table_args__ = (Index("ix_renovation_stages_division", "division_code"),)

    renovation_id: Mapped[UUID] = mapped_column(
        ForeignKey("renovations.renovation_id"), primary_key=True
    )
    stage: Mapped[str] = mapped_column(Text, primary_key=True)
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    done_on: Mapped[date]
    note: Mapped[str | None] = mapped_column(Text)
    parties: Mapped[list[str]] = mapped_column(JSONB)
    recorded_by: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
