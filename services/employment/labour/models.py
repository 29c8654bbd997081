"""Labour profiles, what each household comes to under R30, and its zero-employment cases."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.employment.db import Base


class LabourProfile(Base):
    """One person's profile, for life: it goes along to another household and rests in between.

    ``reasons`` are the codes the status rests on, ``facts`` what was known, so that the decision
    can be made again; ``since`` is the day on which the status last changed.
    """

    __tablename__ = "labour_profiles"
    __table_args__ = (
        Index("ix_labour_profiles_division", "division_code", "person_id"),
        Index("ix_labour_profiles_household", "household_id"),
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    able: Mapped[bool]
    willing: Mapped[bool]
    status: Mapped[str] = mapped_column(Text)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    since: Mapped[date]


class HouseholdLabour(Base):
    """What a household's members come to under R30, and the next day on which that may change.

    Its row is the lock of all that is decided about the household's work.
    """

    __tablename__ = "household_labour"
    __table_args__ = (
        Index("ix_household_labour_division", "division_code"),
        Index(
            "ix_household_labour_look_again",
            "look_again_on",
            "household_id",
            postgresql_where="look_again_on IS NOT NULL",
        ),
    )

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    on_assistance: Mapped[bool]
    outcome: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[str | None] = mapped_column(Text)
    able: Mapped[int] = mapped_column(SmallInteger)
    willing: Mapped[int] = mapped_column(SmallInteger)
    employed: Mapped[int] = mapped_column(SmallInteger)
    look_again_on: Mapped[date | None]


class ZeroEmploymentCase(Base):
    """A household without anybody at work, and the last day for an offer to it (R30).

    ``offer_due_on`` is NULL while no limit is approved for the division.
    """

    __tablename__ = "zero_employment_cases"
    __table_args__ = (
        CheckConstraint("(closed_on IS NULL) = (outcome IS NULL)", name="closed_with_outcome"),
        Index(
            "uq_zero_employment_cases_open",
            "household_id",
            unique=True,
            postgresql_where="closed_on IS NULL",
        ),
        Index("ix_zero_employment_cases_household", "household_id"),
        Index("ix_zero_employment_cases_division", "division_code", "case_id"),
    )

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    opened_on: Mapped[date]
    offer_due_on: Mapped[date | None]
    offer_due_provisional: Mapped[bool]
    limit_parameter_id: Mapped[UUID | None]
    person_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    closed_on: Mapped[date | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    closing_evidence: Mapped[str | None] = mapped_column(Text)
