"""The registry's copy of the money standards that relief keeps (C11)."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Index
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, Money


class Standard(Base):
    """One value of one standard from a day on, in the newest version heard."""

    __tablename__ = "standards"

    standard_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[Code]
    division_code: Mapped[Code]
    valid_from: Mapped[date]
    value: Mapped[Money]
    document_number: Mapped[Code]
    sample: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_standards_key", "key", "division_code", "valid_from"),)
