"""Income checks (核查) of households on assistance, as they were made: never rewritten (C4)."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Codes, Json, Moment, Money


class IncomeCheck(Base):
    """One check with all it was judged on, so that it can be judged again."""

    __tablename__ = "income_checks"

    check_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    episode: Mapped[int]
    checked_on: Mapped[date]
    category: Mapped[Code]
    n: Mapped[int]
    income_wage: Mapped[Money]
    income_business: Mapped[Money]
    income_property: Mapped[Money]
    income_transfer: Mapped[Money]
    food_and_clothing: Mapped[bool] = mapped_column(Boolean)
    note: Mapped[str] = mapped_column(Text)
    per_capita_month: Mapped[Money]
    per_capita_year: Mapped[Money]
    line: Mapped[Money]
    standard_id: Mapped[UUID]
    document_number: Mapped[Code]
    g4600_limit: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    parameters: Mapped[Json]
    passed: Mapped[bool] = mapped_column(Boolean)
    reasons: Mapped[Codes]
    officer_id: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("ix_income_checks_household_id", "household_id", "checked_on", "check_id"),
    )
