"""Helpers, their units, and the households that they are paired with (C51, C52, R35)."""

from datetime import date
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Moment, OptionalCode

_OPEN = text("ended_on IS NULL")


class Helper(Base):
    """An official who helps households (帮扶责任人), of one unit, until ``left_on``."""

    __tablename__ = "helpers"

    helper_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[Code]
    officer_id: Mapped[Code]
    name_encrypted: Mapped[bytes]
    phone_encrypted: Mapped[bytes | None]
    kind: Mapped[Code]
    unit: Mapped[str] = mapped_column(Text)
    unit_uscc: Mapped[OptionalCode]
    started_on: Mapped[date]
    left_on: Mapped[date | None]
    registered_by: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_helpers_officer_id",
            "officer_id",
            unique=True,
            postgresql_where=text("left_on IS NULL"),
        ),
        Index("ix_helpers_division_code", "division_code", "helper_id"),
    )


class Pairing(Base):
    """One helper for one household (结对帮扶), from a day on; in force while ``ended_on`` is empty.

    ``flag`` says why the pairing is not what R35 asks for, as things stand.
    """

    __tablename__ = "pairings"

    pairing_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.household_id"))
    helper_id: Mapped[UUID] = mapped_column(ForeignKey("helpers.helper_id"))
    division_code: Mapped[Code]
    lead: Mapped[bool] = mapped_column(Boolean)
    flag: Mapped[OptionalCode]
    paired_on: Mapped[date]
    paired_by: Mapped[Code]
    ended_on: Mapped[date | None]
    end_reason: Mapped[str] = mapped_column(Text)
    transferred: Mapped[bool] = mapped_column(Boolean, server_default=false())
    handover_due_on: Mapped[date | None]
    handed_over_on: Mapped[date | None]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index(
            "uq_pairings_lead",
            "household_id",
            unique=True,
            postgresql_where=text("lead AND ended_on IS NULL"),
        ),
        Index(
            "uq_pairings_household_id_helper_id",
            "household_id",
            "helper_id",
            unique=True,
            postgresql_where=_OPEN,
        ),
        Index("ix_pairings_helper_id", "helper_id", postgresql_where=_OPEN),
        Index("ix_pairings_division_code", "division_code", "pairing_id"),
    )
