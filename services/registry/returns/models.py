"""Signs of hardship, each stored once, and the return checks they open (C7, C24)."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, ForeignKeyConstraint, Index, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode


class Hardship(Base):
    """One sign that a household may fall into or back into poverty; ``source`` says whose it is."""

    __tablename__ = "hardships"

    source: Mapped[Code] = mapped_column(primary_key=True)
    hardship_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    kind: Mapped[Code]
    detected_on: Mapped[date]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    note: Mapped[str] = mapped_column(Text)
    reported_by: Mapped[OptionalCode]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_hardships_household_id", "household_id", "detected_on"),)


class ReturnCheck(Base):
    """The visit that a sign asks for at a household lifted or struck off, and how it ended.

    ``due_on`` is empty where the county has no approved time limit; ``due_provisional`` says that
    a day was counted that no announced calendar covers yet.
    """

    __tablename__ = "return_checks"

    return_check_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    source: Mapped[Code]
    hardship_id: Mapped[UUID]
    opened_on: Mapped[date]
    due_on: Mapped[date | None]
    due_provisional: Mapped[bool] = mapped_column(Boolean)
    outcome: Mapped[OptionalCode]
    closed_on: Mapped[date | None]
    closed_by: Mapped[OptionalCode]
    visited_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[Moment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["source", "hardship_id"], ["hardships.source", "hardships.hardship_id"]
        ),
        Index("uq_return_checks_source_hardship_id", "source", "hardship_id", unique=True),
        Index("ix_return_checks_division_code", "division_code", "return_check_id"),
        Index("ix_return_checks_household_id", "household_id"),
    )
