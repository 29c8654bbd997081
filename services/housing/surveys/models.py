"""Dwellings, one a household, and the files of dangerous houses, one open at most (C27, C29)."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.housing.db import Base


class Dwelling(Base):
    """Where one household lives.

    ``grade`` is what the registry last reported, from ``grade_since`` on; null waits for a survey.
    ``renovated_file_id`` names the file whose renovation was accepted since then: the dwelling is
    safe although the registry's grade stands. ``occupied`` is false while the household lives
    elsewhere safely. ``on_file`` is false once the registry closed the household's file.
    """

    __tablename__ = "dwellings"
    __table_args__ = (
        CheckConstraint("grade IN ('A', 'B', 'C', 'D')", name="grade_known"),
        Index("ix_dwellings_division", "division_code", "household_id"),
    )

    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    grade: Mapped[str | None] = mapped_column(Text)
    grade_since: Mapped[date]
    on_file: Mapped[bool]
    occupied: Mapped[bool]
    occupied_since: Mapped[date | None]
    occupancy_history: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    renovated_file_id: Mapped[UUID | None]
    renovated_on: Mapped[date | None]


class DangerousHouseFile(Base):
    """The file of one dangerous house (C or D), never reopened: a new danger opens a new one.

    ``grade_history`` holds each grade with the day from which the registry reported it, and the id
    of the hardship signal that a new D sent.
    """

    __tablename__ = "dangerous_house_files"
    __table_args__ = (
        CheckConstraint("grade IN ('C', 'D')", name="grade_dangerous"),
        CheckConstraint(
            "(state = 'closed') = (closed_on IS NOT NULL AND closing_cause IS NOT NULL)",
            name="closed_with_cause",
        ),
        Index(
            "uq_dangerous_house_files_open",
            "household_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_dangerous_house_files_household", "household_id", "file_id"),
        Index("ix_dangerous_house_files_division", "division_code", "file_id"),
    )

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("dwellings.household_id"))
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    grade: Mapped[str] = mapped_column(Text)
    grade_history: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text)
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]
    closing_cause: Mapped[str | None] = mapped_column(Text)
