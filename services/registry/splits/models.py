"""Files that came out of others, and what a look at the suspicious ones found (section 5)."""

from datetime import date
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode


class Split(Base):
    """``new_household_id`` came out of ``household_id`` on a day.

    ``watched`` says that it may have been made to pass the test: it is open until ``outcome``.
    """

    __tablename__ = "splits"

    split_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    new_household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    split_on: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    watched: Mapped[bool] = mapped_column(Boolean)
    decided_by: Mapped[Code]
    outcome: Mapped[OptionalCode]
    reviewed_on: Mapped[date | None]
    reviewed_by: Mapped[OptionalCode]
    review_reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("ix_splits_household_id", "household_id"),
        Index("ix_splits_new_household_id", "new_household_id"),
    )
