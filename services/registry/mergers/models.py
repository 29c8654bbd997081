"""Two files that became one, and whether that was taken back (section 5, "merge")."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode


class Merger(Base):
    """``merged_id`` became part of ``household_id`` on a day.

    ``revision_before`` and ``revision`` are the newest archived ones of the survivor before and
    after it, ``merged_revision`` that of the other file after it: a merger can be undone while
    nothing newer is archived of either.
    """

    __tablename__ = "mergers"

    merger_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    merged_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    merged_on: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[Code]
    revision_before: Mapped[int] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(BigInteger)
    merged_revision: Mapped[int] = mapped_column(BigInteger)
    undone_on: Mapped[date | None]
    undone_by: Mapped[OptionalCode]
    undone_reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("ix_mergers_household_id", "household_id"),
        Index(
            "uq_mergers_merged_id",
            "merged_id",
            unique=True,
            postgresql_where=text("undone_on IS NULL"),
        ),
    )
