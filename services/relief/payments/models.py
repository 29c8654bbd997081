"""Payments, one a programme, household and month; the unique keys hold whatever the code does."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.relief.db import Base


class PaymentRun(Base):
    """One order to pay a programme's month in a division, signed by an officer."""

    __tablename__ = "payment_runs"
    __table_args__ = (
        CheckConstraint("extract(day FROM month) = 1", name="first_of_month"),
        CheckConstraint("approved_by <> created_by", name="approved_by_another"),
        Index("ix_payment_runs_division", "division_code", "month"),
    )

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    programme: Mapped[str] = mapped_column(Text)
    month: Mapped[date]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    job_id: Mapped[UUID]
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    paid_on: Mapped[date | None]
    confirmed_by: Mapped[str | None] = mapped_column(Text)
    approved_by: Mapped[str | None] = mapped_column(Text)
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Payment(Base):
    """One month's money for one household, in yuan; ``version`` counts its published states.

    ``paid_on`` is the day on which the money reached the household's account, or that of the
    institution that it lives in (``payee_institution_id``).
    """

    __tablename__ = "payments"
    __table_args__ = (
        # What came back counts no more: the month may then be paid anew.
        Index(
            "uq_payments_live_once_a_month",
            "programme",
            "payee_household_id",
            "month",
            unique=True,
            postgresql_where=sql("status <> 'reversed'"),
        ),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_payments_run", "run_id", "payment_id"),
        Index("ix_payments_division", "division_code", "payment_id"),
        Index("ix_payments_household", "payee_household_id", "month"),
    )

    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("payment_runs.run_id"))
    programme: Mapped[str] = mapped_column(Text)
    payee_household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    month: Mapped[date]
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))
    fund: Mapped[str] = mapped_column(Text)
    # A grant of its programme's own table: each table of grants is one that nobody deletes from.
    grant_id: Mapped[UUID]
    payee_institution_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("tekun_institutions.institution_id")
    )
    status: Mapped[str] = mapped_column(Text)
    granted_on: Mapped[date]
    paid_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(BigInteger)


class PaymentBeneficiary(Base):
    """One person whom a payment is for: a person counts once a month, by ``claim``.

    Programmes that exclude each other share a claim (``rules.CLAIMS``). The claim of a payment that
    came back is null, so that its people may be paid for anew.
    """

    __tablename__ = "payment_beneficiaries"
    __table_args__ = (
        UniqueConstraint(
            "claim", "person_id", "month", name="uq_payment_beneficiaries_claimed_once"
        ),
    )

    # Deferred: a person is claimed first, and only a household with all its people is then paid.
    payment_id: Mapped[UUID] = mapped_column(
        ForeignKey("payments.payment_id", deferrable=True, initially="DEFERRED"), primary_key=True
    )
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    programme: Mapped[str] = mapped_column(Text)
    claim: Mapped[str | None] = mapped_column(Text, server_default="living")
    month: Mapped[date]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))


class PaymentException(Base):
    """A household that a run found due and did not pay or send, and why, for an officer to settle.

    ``settled_at``: it went to the bank after all.
    """

    __tablename__ = "payment_exceptions"
    __table_args__ = (
        UniqueConstraint("run_id", "household_id", "code", name="uq_payment_exceptions_once"),
        Index("ix_payment_exceptions_division", "division_code"),
    )

    exception_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("payment_runs.run_id"))
    household_id: Mapped[UUID]
    division_code: Mapped[str] = mapped_column(Text(collation="C"))
    code: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
