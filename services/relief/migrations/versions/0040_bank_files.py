"""Runs go to the bank: approved by a second officer, sent as files, booked from its returns."""

import sqlalchemy as sa
from alembic import op

from shared.schema import access

revision = "0040"
down_revision = "0031"
branch_labels = None
depends_on = None

_CODE = sa.Text(collation="C")
_MOMENT = sa.DateTime(timezone=True)
_TABLES = ("bank_files", "bank_file_rows", "bank_returns", "bank_return_rows")


def upgrade() -> None:
    op.add_column("payment_runs", sa.Column("approved_by", sa.Text(), nullable=True))
    op.add_column("payment_runs", sa.Column("approved_at", _MOMENT, nullable=True))
    op.create_check_constraint(
        op.f("ck_payment_runs_approved_by_another"), "payment_runs", "approved_by <> created_by"
    )
    op.add_column("payment_exceptions", sa.Column("settled_at", _MOMENT, nullable=True))
    _one_live_payment()
    _files()
    _rows()
    _returns()
    _return_rows()
    access.grant("relief", "bank_files", api="SELECT, INSERT", worker="SELECT, UPDATE")
    access.grant("relief", "bank_file_rows", api="SELECT", worker="SELECT, INSERT, UPDATE")
    access.grant("relief", "bank_returns", api="SELECT, INSERT", worker="SELECT")
    access.grant("relief", "bank_return_rows", api="SELECT, INSERT", worker="SELECT")
    # The api signs and notes what the bank said; the money itself is moved by the worker alone.
    op.execute("GRANT UPDATE (approved_by, approved_at) ON payment_runs TO relief_api")
    op.execute("GRANT UPDATE (job_id) ON bank_files TO relief_api")
    op.execute("GRANT UPDATE (status, day, reason) ON bank_file_rows TO relief_api")
    op.execute("GRANT UPDATE (settled_at) ON payment_exceptions TO relief_worker")
    op.execute("GRANT UPDATE (claim) ON payment_beneficiaries TO relief_worker")
    for table in _TABLES:
        access.protect_by_division(table)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("REVOKE UPDATE (claim) ON payment_beneficiaries FROM relief_worker")
    op.execute("REVOKE UPDATE (settled_at) ON payment_exceptions FROM relief_worker")
    op.execute("REVOKE UPDATE (approved_by, approved_at) ON payment_runs FROM relief_api")
    # Fails where a returned payment was paid anew: that cannot be told in the older tables.
    op.drop_index("uq_payments_live_once_a_month", "payments")
    op.create_unique_constraint(
        "uq_payments_once_a_month", "payments", ["programme", "payee_household_id", "month"]
    )
    op.alter_column("payment_beneficiaries", "claim", nullable=False)
    op.create_unique_constraint(
        "uq_payment_beneficiaries_once_a_month",
        "payment_beneficiaries",
        ["programme", "person_id", "month"],
    )
    op.drop_column("payment_exceptions", "settled_at")
    op.drop_constraint(op.f("ck_payment_runs_approved_by_another"), "payment_runs", type_="check")
    op.drop_column("payment_runs", "approved_at")
    op.drop_column("payment_runs", "approved_by")


def _one_live_payment() -> None:
    """What came back counts no more: its month may be paid anew, and its people are free."""
    op.drop_constraint("uq_payments_once_a_month", "payments", type_="unique")
    op.create_index(
        "uq_payments_live_once_a_month",
        "payments",
        ["programme", "payee_household_id", "month"],
        unique=True,
        postgresql_where=sa.text("status <> 'reversed'"),
    )
    # A claim given back is null, which no unique key compares. The narrower key goes: every
    # programme claims by now.
    op.drop_constraint(
        "uq_payment_beneficiaries_once_a_month", "payment_beneficiaries", type_="unique"
    )
    op.alter_column("payment_beneficiaries", "claim", nullable=True)


def _files() -> None:
    op.create_table(
        "bank_files",
        sa.Column("bank_file_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", _CODE, nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("unchanged", sa.Boolean(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ready_at", _MOMENT, nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("total", sa.Numeric(14, 2), nullable=True),
        sa.Column("checksum", sa.Text(), nullable=True),
        sa.Column("content_encrypted", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(ready_at, rows, total, checksum, content_encrypted) IN (0, 5)",
            name=op.f("ck_bank_files_ready_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["payment_runs.run_id"], name=op.f("fk_bank_files_run_id")
        ),
        sa.PrimaryKeyConstraint("bank_file_id", name=op.f("pk_bank_files")),
    )
    op.create_index(
        "uq_bank_files_one_in_the_making",
        "bank_files",
        ["run_id"],
        unique=True,
        postgresql_where=sa.text("ready_at IS NULL"),
    )
    op.create_index("ix_bank_files_run", "bank_files", ["run_id", "bank_file_id"])
    op.create_index("ix_bank_files_division", "bank_files", ["division_code", "bank_file_id"])


def _rows() -> None:
    op.create_table(
        "bank_file_rows",
        sa.Column("bank_file_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", _CODE, nullable=False),
        sa.Column("amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("payee_hash", sa.LargeBinary(), nullable=False),
        sa.Column("line_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('open', 'paid', 'failed', 'returned')",
            name=op.f("ck_bank_file_rows_known_status"),
        ),
        sa.CheckConstraint(
            "(status = 'open') = (day IS NULL)", name=op.f("ck_bank_file_rows_day_fits")
        ),
        sa.ForeignKeyConstraint(
            ["bank_file_id"], ["bank_files.bank_file_id"], name=op.f("fk_bank_file_rows_file")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.payment_id"], name=op.f("fk_bank_file_rows_payment_id")
        ),
        sa.PrimaryKeyConstraint("bank_file_id", "serial", name=op.f("pk_bank_file_rows")),
    )
    op.create_index(
        "uq_bank_file_rows_sent_once",
        "bank_file_rows",
        ["payment_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'failed'"),
    )
    op.create_index("ix_bank_file_rows_payment", "bank_file_rows", ["payment_id", "bank_file_id"])
    op.create_index("ix_bank_file_rows_division", "bank_file_rows", ["division_code"])


def _returns() -> None:
    op.create_table(
        "bank_returns",
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("bank_file_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", _CODE, nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["bank_file_id"], ["bank_files.bank_file_id"], name=op.f("fk_bank_returns_file")
        ),
        sa.PrimaryKeyConstraint("return_id", name=op.f("pk_bank_returns")),
        sa.UniqueConstraint("bank_file_id", "checksum", name="uq_bank_returns_once"),
    )
    op.create_index("ix_bank_returns_division", "bank_returns", ["division_code"])


def _return_rows() -> None:
    op.create_table(
        "bank_return_rows",
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", _CODE, nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["return_id"], ["bank_returns.return_id"], name=op.f("fk_bank_return_rows_return_id")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.payment_id"], name=op.f("fk_bank_return_rows_payment_id")
        ),
        sa.PrimaryKeyConstraint("return_id", "serial", name=op.f("pk_bank_return_rows")),
    )
    op.create_index("ix_bank_return_rows_payment", "bank_return_rows", ["payment_id"])
    op.create_index("ix_bank_return_rows_division", "bank_return_rows", ["division_code"])
