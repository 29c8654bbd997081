"""When each household on assistance is reviewed next, and the reviews made (R28)."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment


class ReviewDate(Base):
    """The next review of a household on assistance; ``due_on`` is empty where no cycle is set.

    ``from_on``: the identification or the last review, from which it is counted.
    """

    __tablename__ = "review_dates"

    household_id: Mapped[UUID] = mapped_column(
        ForeignKey("households.household_id"), primary_key=True
    )
    division_code: Mapped[Code]
    kind: Mapped[Code]
    from_on: Mapped[date]
    due_on: Mapped[date | None]
    reckoned_on: Mapped[date]

    __table_args__ = (Index("ix_review_dates_division_code", "division_code", "due_on"),)


class Review(Base):
    """One review with what it found; its reason is encrypted, since names stand in it."""

    __tablename__ = "reviews"

    review_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    kind: Mapped[Code]
    due_on: Mapped[date | None]
    reviewed_on: Mapped[date]
    outcome: Mapped[Code]
    reason_encrypted: Mapped[bytes]
    officer_id: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_reviews_household_id", "household_id", "reviewed_on"),)
