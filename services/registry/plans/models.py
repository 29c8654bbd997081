"""Plans, their measures, and what a year of them came to (C53, R35)."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode


class Plan(Base):
    """One version of a household's plan (一户一策); an approved one is never rewritten.

    ``category`` and ``causes`` are those it was made for; its words are encrypted, since names
    stand in them. ``agreed_on``: the day on which the household agreed.
    """

    __tablename__ = "plans"

    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    version: Mapped[int]
    state: Mapped[Code]
    category: Mapped[OptionalCode]
    causes: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")))
    target_income: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    arable_mu: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    forest_mu: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    words_encrypted: Mapped[bytes]
    drafted_on: Mapped[date]
    drafted_by: Mapped[Code]
    agreed_on: Mapped[date | None]
    lead_signed_on: Mapped[date | None]
    lead_signed_by: Mapped[OptionalCode]
    approved_on: Mapped[date | None]
    approved_by: Mapped[OptionalCode]
    ended_on: Mapped[date | None]
    revision: Mapped[int]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("uq_plans_household_id_version", "household_id", "version", unique=True),
        Index(
            "uq_plans_in_force",
            "household_id",
            unique=True,
            postgresql_where=text("state = 'in_force'"),
        ),
        Index(
            "uq_plans_draft", "household_id", unique=True, postgresql_where=text("state = 'draft'")
        ),
        Index("ix_plans_division_code", "division_code", "plan_id"),
    )


class PlanMeasure(Base):
    """One measure of a plan: who answers for it, its money, and how far it has come.

    ``reason`` is written by the release before alone; the next one drops it.
    """

    __tablename__ = "plan_measures"

    measure_id: Mapped[UUID] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.plan_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    kind: Mapped[Code]
    cause: Mapped[Code]
    bureau: Mapped[Code]
    officer_id: Mapped[Code]
    budget: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    fund: Mapped[Code]
    begins_on: Mapped[date]
    due_on: Mapped[date]
    state: Mapped[Code]
    ended_on: Mapped[date | None]
    ended_by: Mapped[OptionalCode]
    reason: Mapped[str] = mapped_column(Text, server_default="")
    reason_encrypted: Mapped[bytes | None]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("ix_plan_measures_plan_id", "plan_id"),
        Index("ix_plan_measures_household_id", "household_id"),
    )


class PlanResult(Base):
    """What a household reached in a year of its plan; ``income`` in yuan a head."""

    __tablename__ = "plan_results"

    household_id: Mapped[UUID] = mapped_column(
        ForeignKey("households.household_id"), primary_key=True
    )
    year: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plans.plan_id"))
    division_code: Mapped[Code]
    income: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    words_encrypted: Mapped[bytes]
    entered_on: Mapped[date]
    entered_by: Mapped[Code]
    recorded_at: Mapped[Moment]
