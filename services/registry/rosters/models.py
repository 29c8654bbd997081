"""What is stored of rosters: each upload as it came, encrypted, and the report row by row.

Every table carries ``division_code`` for the forced row-level security. A report row is one
household of the sheet, or one of the registry that the sheet does not hold.
"""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base

Code = Annotated[str, mapped_column(Text(collation="C"))]
OptionalCode = Annotated[str | None, mapped_column(Text(collation="C"))]
Moment = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True))]


class Roster(Base):
    """One uploaded workbook. ``division_code`` is the uploader's division within its county.

    Who uploaded it stands here whole, because the job acts as that officer later.
    """

    __tablename__ = "rosters"

    roster_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[Code]
    county_code: Mapped[Code]
    job_id: Mapped[UUID]
    dry_run: Mapped[bool]
    decided_on: Mapped[date]
    rows: Mapped[int]
    file_encrypted: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_sub: Mapped[Code]
    uploaded_officer: Mapped[OptionalCode]
    uploaded_bureau: Mapped[str | None]
    uploaded_unit: Mapped[str | None]
    uploaded_divisions: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")))
    created_at: Mapped[Moment]

    __table_args__ = (Index("ix_rosters_division_code", "division_code", "created_at"),)


class RosterFinding(Base):
    """One row of a roster's report: a household, its verdict, all that was found.

    ``facts_encrypted`` is there from reading until the verdict falls. ``people`` counts the rows;
    ``holds`` are the registry's households that people of this row stand in, whatever the verdict.
    """

    __tablename__ = "roster_findings"

    roster_id: Mapped[UUID] = mapped_column(
        ForeignKey("rosters.roster_id", ondelete="CASCADE"), primary_key=True
    )
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    division_code: Mapped[Code]
    first_row: Mapped[int | None]
    last_row: Mapped[int | None]
    serial: Mapped[str]
    head_name: Mapped[str]
    people: Mapped[int]
    category: Mapped[OptionalCode]
    verdict: Mapped[Code]
    warned: Mapped[bool]
    household_id: Mapped[UUID | None]
    holds: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    findings: Mapped[Any] = mapped_column(JSONB)
    facts_encrypted: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("ix_roster_findings_verdict", "roster_id", "verdict", "ordinal"),
        Index(
            "ix_roster_findings_warned",
            "roster_id",
            "ordinal",
            postgresql_where=text("warned"),
        ),
        Index("ix_roster_findings_household_id", "household_id"),
    )
