"""Visits to households (C23, C53)."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment


class Visit(Base):
    """One visit; what was found is encrypted. ``photos`` are attachments."""

    __tablename__ = "visits"

    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    kind: Mapped[Code]
    visited_on: Mapped[date]
    officer_id: Mapped[Code]
    findings_encrypted: Mapped[bytes]
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 5))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 5))
    food_and_clothing: Mapped[bool | None]
    housing: Mapped[bool | None]
    medical: Mapped[bool | None]
    schooling: Mapped[bool | None]
    income: Mapped[bool | None]
    photos: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("ix_visits_household_id", "household_id", "visited_on"),
        Index("ix_visits_division_code", "division_code", "visit_id"),
        Index("ix_visits_officer_id", "officer_id", "visit_id"),
    )
