"""Placements: one a person and kind at a time, kept for good."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.employment.db import Base


class Placement(Base):
    """One job of one person. It makes employed from ``counts_from`` until its end.

    ``until`` is the last day agreed, ``ended_on`` the first day without the job. ``turns_on`` is
    the next day on which something follows by itself. ``revision`` counts its changes (ETag),
    ``version`` its published states; ``published`` is the last of them. ``monthly_wage`` in yuan.
    """

    __tablename__ = "placements"
    __table_args__ = (
        CheckConstraint("until >= begins_on", name="until_not_before_begin"),
        CheckConstraint("ended_on >= begins_on", name="ended_not_before_begin"),
        CheckConstraint("(ended_on IS NULL) = (end_reason IS NULL)", name="ended_with_reason"),
        CheckConstraint("monthly_wage >= 0", name="wage_not_negative"),
        Index(
            "uq_placements_open",
            "person_id",
            "kind",
            unique=True,
            postgresql_where="ended_on IS NULL",
        ),
        Index("ix_placements_person", "person_id"),
        Index("ix_placements_household", "household_id"),
        Index("ix_placements_division", "division_code", "placement_id"),
        Index(
            "ix_placements_turns_on",
            "turns_on",
            "placement_id",
            postgresql_where="turns_on IS NOT NULL",
        ),
    )

    placement_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("labour_profiles.person_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    kind: Mapped[str] = mapped_column(Text)
    employer: Mapped[str | None] = mapped_column(Text)
    begins_on: Mapped[date]
    until: Mapped[date | None]
    monthly_wage: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    counts_from: Mapped[date]
    months_parameter_id: Mapped[UUID | None]
    ended_on: Mapped[date | None]
    end_reason: Mapped[str | None] = mapped_column(Text)
    turns_on: Mapped[date | None]
    placed_by: Mapped[str] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revision: Mapped[int] = mapped_column(BigInteger)
    published: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(BigInteger)
