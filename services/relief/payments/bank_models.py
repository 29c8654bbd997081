"""What went to the bank and what it said of it; accounts and names lie in it encrypted alone."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from services.relief.columns import Code, Moment, Words, Yuan
from services.relief.db import Base


class BankFile(Base):
    """One file for the bank: in the making until ``ready_at``, then never changed.

    ``checksum`` is the SHA-256 over the bytes of its rows; ``unchanged`` says that payments that
    failed are sent again even where payee and account are the same.
    """

    __tablename__ = "bank_files"
    __table_args__ = (
        CheckConstraint(
            "num_nulls(ready_at, rows, total, checksum, content_encrypted) IN (0, 5)",
            name="ready_whole",
        ),
        Index(
            "uq_bank_files_one_in_the_making",
            "run_id",
            unique=True,
            postgresql_where=sql("ready_at IS NULL"),
        ),
        Index("ix_bank_files_run", "run_id", "bank_file_id"),
        Index("ix_bank_files_division", "division_code", "bank_file_id"),
    )

    bank_file_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("payment_runs.run_id"))
    division_code: Mapped[Code]
    encoding: Mapped[Words]
    unchanged: Mapped[bool]
    job_id: Mapped[UUID]
    created_by: Mapped[Words]
    created_at: Mapped[Moment]
    ready_at: Mapped[Moment | None]
    rows: Mapped[int | None]
    total: Mapped[Yuan | None]
    checksum: Mapped[Words | None]
    content_encrypted: Mapped[bytes | None]


class BankFileRow(Base):
    """One payment in one file, and what the bank said of it last.

    Only a payment whose row failed may stand in another file. ``payee_hash`` tells whether name
    and account have changed since; ``line_encrypted`` is kept until the file is whole.
    """

    __tablename__ = "bank_file_rows"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'paid', 'failed', 'returned')", name="known_status"),
        CheckConstraint("(status = 'open') = (day IS NULL)", name="day_fits"),
        Index(
            "uq_bank_file_rows_sent_once",
            "payment_id",
            unique=True,
            postgresql_where=sql("status <> 'failed'"),
        ),
        Index("ix_bank_file_rows_payment", "payment_id", "bank_file_id"),
        Index("ix_bank_file_rows_division", "division_code"),
    )

    bank_file_id: Mapped[UUID] = mapped_column(
        ForeignKey("bank_files.bank_file_id", name="fk_bank_file_rows_file"), primary_key=True
    )
    serial: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.payment_id"))
    division_code: Mapped[Code]
    amount: Mapped[Yuan]
    payee_hash: Mapped[bytes]
    line_encrypted: Mapped[bytes | None]
    status: Mapped[Words]
    day: Mapped[date | None]
    reason: Mapped[Words | None]


class BankReturn(Base):
    """One return file that was taken, once by its ``checksum`` over all its bytes."""

    __tablename__ = "bank_returns"
    __table_args__ = (
        UniqueConstraint("bank_file_id", "checksum", name="uq_bank_returns_once"),
        Index("ix_bank_returns_division", "division_code"),
    )

    return_id: Mapped[UUID] = mapped_column(primary_key=True)
    bank_file_id: Mapped[UUID] = mapped_column(
        ForeignKey("bank_files.bank_file_id", name="fk_bank_returns_file")
    )
    division_code: Mapped[Code]
    checksum: Mapped[Words]
    rows: Mapped[int]
    job_id: Mapped[UUID]
    received_by: Mapped[Words]
    received_at: Mapped[Moment]


class BankReturnRow(Base):
    """What the bank said of one row in one return file; never changed."""

    __tablename__ = "bank_return_rows"
    __table_args__ = (
        Index("ix_bank_return_rows_payment", "payment_id"),
        Index("ix_bank_return_rows_division", "division_code"),
    )

    return_id: Mapped[UUID] = mapped_column(ForeignKey("bank_returns.return_id"), primary_key=True)
    serial: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.payment_id"))
    division_code: Mapped[Code]
    result: Mapped[Words]
    day: Mapped[date]
    reason: Mapped[Words | None]
