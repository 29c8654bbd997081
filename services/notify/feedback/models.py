"""How far each lead has come, as the registry published it: codes and dates, no name (C22)."""

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from services.notify.db import Base


class Feedback(Base):
    """One lead in its newest version.

    ``services`` says which service each of ``sources`` was, ``reported_on`` of which day it first
    reported; ``received_on`` says of each of ``receipts`` (hashes) when its holder told of it.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint(
            "cardinality(sources) = cardinality(services) "
            "AND cardinality(sources) = cardinality(reported_on)",
            name="senders",
        ),
        CheckConstraint("cardinality(receipts) = cardinality(received_on)", name="receipts"),
        Index("ix_feedback_division_code", "division_code", "lead_id"),
    )

    lead_id: Mapped[UUID] = mapped_column(primary_key=True)
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    source: Mapped[str] = mapped_column(Text(collation="C"))
    state: Mapped[str] = mapped_column(Text(collation="C"))
    opened_on: Mapped[date]
    visited_on: Mapped[date | None]
    decided_on: Mapped[date | None]
    accord: Mapped[str | None] = mapped_column(Text(collation="C"))
    sources: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")))
    services: Mapped[list[str | None]] = mapped_column(ARRAY(Text(collation="C")))
    reported_on: Mapped[list[date]] = mapped_column(ARRAY(Date))
    receipts: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")))
    received_on: Mapped[list[date]] = mapped_column(ARRAY(Date))
    version: Mapped[int] = mapped_column(BigInteger)


class FeedbackReceipt(Base):
    """Which lead a receipt number, by its hash, is of. Read by ``feedback_of_receipt`` alone.

    A table of its own: under row-level security no index over ``feedback.receipts`` would be used.
    """

    __tablename__ = "feedback_receipts"

    receipt_hash: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(ForeignKey("feedback.lead_id"))
