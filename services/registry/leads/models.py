"""Leads, the reports they are made of, and the visits to them (C5, C21, C22).

What people said, and who they are, is encrypted. One open lead a household, or a person known by
the hash of the ID number, over all counties: two partial unique indexes see to it.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.db import Base
from services.registry.households.models import Code, Codes, Moment, OptionalCode

_OPEN = text("state IN ('open', 'visited')")


class Lead(Base):
    """That somebody may be in difficulty; ``source`` is that of the first report.

    ``person_hash`` stands where the household is not known yet. ``due_on`` is the last day for the
    visit, empty where the county has no approved time limit. ``senders`` are the kinds of senders
    (``other_service@housing``), ``senders_on`` says of which day each reported first;
    ``received_on`` says of each receipt when it was given out. Where an api of an earlier release
    opened it, these days are missing.
    ``version`` counts published states, ``told_in`` is where the last of them said it lies.
    """

    __tablename__ = "leads"

    lead_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID | None] = mapped_column(ForeignKey("households.household_id"))
    person_hash: Mapped[bytes | None]
    division_code: Mapped[Code]
    source: Mapped[Code]
    state: Mapped[Code]
    opened_on: Mapped[date]
    due_on: Mapped[date | None]
    due_provisional: Mapped[bool] = mapped_column(Boolean)
    visited_on: Mapped[date | None]
    accord: Mapped[OptionalCode]
    decided_on: Mapped[date | None]
    decided_by: Mapped[OptionalCode]
    reason: Mapped[str] = mapped_column(Text)
    senders: Mapped[Codes]
    senders_on: Mapped[list[date]] = mapped_column(ARRAY(Date))
    receipts: Mapped[Codes]
    received_on: Mapped[list[date]] = mapped_column(ARRAY(Date))
    told_in: Mapped[OptionalCode]
    version: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint(
            "(state IN ('accepted', 'dismissed')) = (decided_on IS NOT NULL)", name="decided"
        ),
        CheckConstraint(
            "(state = 'accepted') = (accord IS NOT NULL) "
            "AND (state <> 'accepted' OR household_id IS NOT NULL)",
            name="accepted_with_household",
        ),
        CheckConstraint("cardinality(senders) = cardinality(senders_on)", name="senders_days"),
        CheckConstraint(
            "cardinality(received_on) <= cardinality(receipts)", name="receipts_received"
        ),
        Index("uq_leads_household_id", "household_id", unique=True, postgresql_where=_OPEN),
        Index("uq_leads_person_hash", "person_hash", unique=True, postgresql_where=_OPEN),
        Index("ix_leads_division_code", "division_code", "lead_id"),
        Index("ix_leads_household_id", "household_id"),
        Index(
            "ix_leads_untold",
            "lead_id",
            postgresql_where=text("told_in IS DISTINCT FROM division_code"),
        ),
    )


class LeadReceipt(Base):
    """Which lead a receipt number, by its hash, is of. Read by ``lead_of_receipt`` alone.

    A table of its own: under row-level security no index over ``leads.receipts`` would be used.
    """

    __tablename__ = "lead_receipts"

    receipt_hash: Mapped[Code] = mapped_column(primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(ForeignKey("leads.lead_id"))


class LeadReport(Base):
    """What one sender said; a lead may have many, none is ever lost.

    ``origin`` and ``source_id`` name another service's event, so that it counts once.
    """

    __tablename__ = "lead_reports"

    report_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(ForeignKey("leads.lead_id"))
    division_code: Mapped[Code]
    source: Mapped[Code]
    origin: Mapped[Code]
    source_id: Mapped[UUID | None]
    reported_on: Mapped[date]
    text_encrypted: Mapped[bytes]
    name_encrypted: Mapped[bytes | None]
    id_number_encrypted: Mapped[bytes | None]
    phone_encrypted: Mapped[bytes | None]
    reported_by: Mapped[Code]
    recorded_at: Mapped[Moment]

    __table_args__ = (
        Index("uq_lead_reports_origin_source_id", "origin", "source_id", unique=True),
        Index("ix_lead_reports_lead_id", "lead_id", "report_id"),
    )


class LeadVisit(Base):
    """A visit to whom a lead is about: when, by whom, and what was found."""

    __tablename__ = "lead_visits"

    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[UUID] = mapped_column(ForeignKey("leads.lead_id"))
    division_code: Mapped[Code]
    visited_on: Mapped[date]
    officer_id: Mapped[Code]
    findings_encrypted: Mapped[bytes]
    recorded_at: Mapped[Moment]

    __table_args__ = (Index("ix_lead_visits_lead_id", "lead_id", "visit_id"),)
