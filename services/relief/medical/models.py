"""Hospital settlements, what each is relieved by, and the statements by which that is paid.

A settlement and a decision are never rewritten: what changes an amount is a further row.
"""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.relief.columns import Code, Moment, Words, Yuan
from services.relief.db import Base


class Settlement(Base):
    """One line of a partner's daily file, in yuan; household and division as it came in."""

    __tablename__ = "medical_settlements"
    __table_args__ = (
        UniqueConstraint("partner", "settlement_no", name="uq_medical_settlements_number"),
        CheckConstraint(
            "off_list BETWEEN 0 AND cost AND basic_paid >= 0 AND critical_paid >= 0"
            " AND other_paid >= 0 AND basic_paid + critical_paid + other_paid <= cost",
            name="sums_possible",
        ),
        Index("ix_medical_settlements_file", "file_id", "person_id"),
        Index("ix_medical_settlements_person", "person_id", "discharged_on"),
        Index("ix_medical_settlements_household", "household_id", "discharged_on"),
        Index("ix_medical_settlements_division", "division_code", "person_id"),
    )

    settlement_id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID]
    partner: Mapped[Words]
    settlement_no: Mapped[Words]
    person_id: Mapped[UUID]
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    discharged_on: Mapped[date]
    cost: Mapped[Yuan]
    off_list: Mapped[Yuan]
    basic_paid: Mapped[Yuan]
    critical_paid: Mapped[Yuan]
    other_paid: Mapped[Yuan]
    received_at: Mapped[Moment]


class PersonYear(Base):
    """A person's calendar year: what all his bills are owed and the most that may be, in yuan.

    Locked by whoever decides on one of them; the constraint stands behind that.
    """

    __tablename__ = "medical_person_years"
    __table_args__ = (CheckConstraint("granted BETWEEN 0 AND cap", name="within_cap"),)

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    granted: Mapped[Yuan]
    cap: Mapped[Yuan]


class Statement(Base):
    """One day's amounts of a division as they go to the fund, and their confirmation as paid."""

    __tablename__ = "medical_statements"
    __table_args__ = (Index("ix_medical_statements_division", "division_code", "day"),)

    statement_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date]
    division_code: Mapped[Code]
    job_id: Mapped[UUID]
    created_by: Mapped[Words]
    created_at: Mapped[Moment]
    paid_on: Mapped[date | None]
    confirmed_by: Mapped[str | None] = mapped_column(Text)


class MedicalGrant(Base):
    """One decision on a settlement, in yuan: ``amount`` it adds, ``total`` is what all come to.

    The first of a settlement is its assistance, those after it are supplementary: a correction
    downwards is negative. ``place`` is the settlement's in its person's year, for good: in this
    order a cap is used up. ``version`` counts its published states.
    """

    __tablename__ = "medical_grants"
    __table_args__ = (
        UniqueConstraint("settlement_id", "number", name="uq_medical_grants_number"),
        CheckConstraint("total >= 0", name="total_not_negative"),
        CheckConstraint("number > 1 OR amount = total", name="first_is_whole"),
        CheckConstraint("extract(day FROM month) = 1", name="first_of_month"),
        Index("ix_medical_grants_division", "division_code", "grant_id"),
        Index("ix_medical_grants_household", "household_id", "grant_id"),
        Index("ix_medical_grants_statement", "statement_id", "grant_id"),
        Index(
            "ix_medical_grants_unstated",
            "decided_on",
            "grant_id",
            postgresql_where=text("statement_id IS NULL AND amount <> 0"),
        ),
    )

    grant_id: Mapped[UUID] = mapped_column(primary_key=True)
    settlement_id: Mapped[UUID] = mapped_column(ForeignKey("medical_settlements.settlement_id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    place: Mapped[int] = mapped_column(SmallInteger)
    person_id: Mapped[UUID]
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    month: Mapped[date]
    amount: Mapped[Yuan]
    total: Mapped[Yuan]
    reason: Mapped[Words]
    category: Mapped[str | None] = mapped_column(Text)
    basis: Mapped[dict[str, Any]] = mapped_column(JSONB)
    decided_on: Mapped[date]
    decided_at: Mapped[Moment]
    statement_id: Mapped[UUID | None] = mapped_column(ForeignKey("medical_statements.statement_id"))
    status: Mapped[Words]
    paid_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(BigInteger)


class MedicalAlarm(Base):
    """That what a household bore itself was told as a hardship, once a calendar year."""

    __tablename__ = "medical_alarms"
    __table_args__ = (UniqueConstraint("household_id", "year", name="uq_medical_alarms_once"),)

    hardship_id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID]
    division_code: Mapped[Code]
    year: Mapped[int] = mapped_column(SmallInteger)
    self_borne: Mapped[Yuan]
    detected_on: Mapped[date]
