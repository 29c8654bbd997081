"""What other services did for a household (C6) and whether its guarantees are met (C8)."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, Money


class AidEntry(Base):
    """One measure of one service for one household, in its newest version."""

    __tablename__ = "aid_ledger"

    source: Mapped[Code] = mapped_column(primary_key=True)
    assistance_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    person_ids: Mapped[list[UUID]] = mapped_column(ARRAY(PG_UUID(as_uuid=True)))
    programme: Mapped[Code]
    status: Mapped[Code]
    amount: Mapped[Money]
    fund: Mapped[Code]
    month: Mapped[date | None]
    granted_on: Mapped[date]
    version: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_aid_ledger_household_id", "household_id", "granted_on"),)


class Guarantee(Base):
    """One guarantee of one household as its service last said."""

    __tablename__ = "guarantees"

    source: Mapped[Code] = mapped_column(primary_key=True)
    guarantee_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    division_code: Mapped[Code]
    kind: Mapped[Code]
    met: Mapped[bool]
    evidence_id: Mapped[Code]
    since: Mapped[date]
    version: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_guarantees_household_id", "household_id"),)
