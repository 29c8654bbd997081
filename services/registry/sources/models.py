"""What a feed said of a household that another bureau keeps the record of (C3)."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Json, Moment, OptionalCode


class SourceConflict(Base):
    """``bureau`` wanted ``wanted`` (facts by name) of a household that ``owner`` keeps.

    ``bureau`` is empty for a feed whose token named none. Open while ``outcome`` is empty; then one
    a household and bureau, with what the newest feed said.
    """

    __tablename__ = "source_conflicts"

    conflict_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    bureau: Mapped[Code]
    owner: Mapped[Code]
    origin: Mapped[Code]
    wanted: Mapped[Json]
    valid_from: Mapped[date]
    opened_on: Mapped[date]
    outcome: Mapped[OptionalCode]
    settled_on: Mapped[date | None]
    settled_by: Mapped[OptionalCode]
    reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_source_conflicts_open",
            "household_id",
            "bureau",
            unique=True,
            postgresql_where=text("outcome IS NULL"),
        ),
        Index("ix_source_conflicts_division_code", "division_code", "conflict_id"),
    )
