"""Who answers for the data of a place, and whom to call at a unit (C59, C61)."""

from datetime import date
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode


class Contact(Base):
    """One official in one role for one unit, from a day on; ended, never deleted."""

    __tablename__ = "contacts"

    contact_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[Code]
    division_code: Mapped[Code]
    bureau: Mapped[OptionalCode]
    unit: Mapped[str] = mapped_column(Text)
    officer_id: Mapped[Code]
    name: Mapped[str] = mapped_column(Text)
    phone_encrypted: Mapped[bytes | None]
    appointed_on: Mapped[date]
    ended_on: Mapped[date | None]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_contacts_role_division_code_unit_officer_id",
            "role",
            "division_code",
            "unit",
            "officer_id",
            unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
    )
