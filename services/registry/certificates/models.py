"""Certificates as they were issued (R21; section 3, "Papers kept per case")."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode


class Certificate(Base):
    """One certificate of a household; at most one has not ended.

    ``number`` is the household's printed number with the certificate's ``serial``. ``print_count``
    counts every print; ``issued_in`` is the village at the time, wherever the household moves.
    """

    __tablename__ = "certificates"

    certificate_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    issued_in: Mapped[Code]
    number: Mapped[Code] = mapped_column(unique=True)
    serial: Mapped[int]
    category: Mapped[Code]
    ground: Mapped[Code]
    issued_on: Mapped[date]
    issued_by: Mapped[Code]
    print_count: Mapped[int]
    ended_on: Mapped[date | None]
    ended_by: Mapped[OptionalCode]
    end_reason: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_certificates_standing",
            "household_id",
            unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
        Index("ix_certificates_household_id", "household_id", "serial"),
        Index("ix_certificates_division_code", "division_code", "certificate_id"),
    )
