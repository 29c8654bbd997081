"""Yearly incomes that fell, each asked about once (C9)."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, Money, OptionalCode


class IncomeFall(Base):
    """That a household had less a head at the end of ``year`` than a year before, in yuan.

    What was known on ``opened_on``: a later correction does not rewrite it. ``percent`` is the
    fall that its county puts up with; ``outcome`` is empty while it waits.
    """

    __tablename__ = "income_falls"

    income_fall_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    year: Mapped[int]
    before: Mapped[Money]
    now: Mapped[Money]
    percent: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    opened_on: Mapped[date]
    outcome: Mapped[OptionalCode]
    settled_on: Mapped[date | None]
    settled_by: Mapped[OptionalCode]
    reason_encrypted: Mapped[bytes | None]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("uq_income_falls_household_id_year", "household_id", "year", unique=True),
        Index("ix_income_falls_division_code", "division_code", "income_fall_id"),
    )
