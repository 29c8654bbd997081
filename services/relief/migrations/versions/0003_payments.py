"""Payment runs, payments, whom they are for, and what could not be paid."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.schema import access

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _runs()
    _payments()
    _beneficiaries()
    _exceptions()
    access.grant("relief", "payment_runs", api="SELECT, INSERT", worker="SELECT")
    access.grant("relief", "payments", api="SELECT", worker="SELECT, INSERT, UPDATE")
    # A household that cannot have all its people claimed gives its claims back at once.
    access.grant("relief", "payment_beneficiaries", api="SELECT", worker="SELECT, INSERT, DELETE")
    access.grant("relief", "payment_exceptions", api="SELECT", worker="SELECT, INSERT")
    for table in ("payment_runs", "payments", "payment_beneficiaries", "payment_exceptions"):
        access.protect_by_division(table)


def downgrade() -> None:
    for table in ("payment_exceptions", "payment_beneficiaries", "payments", "payment_runs"):
        op.drop_table(table)


def _runs() -> None:
    op.create_table(
        "payment_runs",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "extract(day FROM month) = 1", name=op.f("ck_payment_runs_first_of_month")
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_payment_runs")),
    )
    op.create_index("ix_payment_runs_division", "payment_runs", ["division_code", "month"])


def _payments() -> None:
    op.create_table(
        "payments",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("payee_household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_amount_positive")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["payment_runs.run_id"], name=op.f("fk_payments_run_id")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["dibao_grants.grant_id"], name=op.f("fk_payments_grant_id")
        ),
        sa.PrimaryKeyConstraint("payment_id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "programme", "payee_household_id", "month", name="uq_payments_once_a_month"
        ),
    )
    op.create_index("ix_payments_run", "payments", ["run_id", "payment_id"])
    op.create_index("ix_payments_division", "payments", ["division_code", "payment_id"])
    op.create_index("ix_payments_household", "payments", ["payee_household_id", "month"])


def _beneficiaries() -> None:
    op.create_table(
        "payment_beneficiaries",
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payments.payment_id"],
            name=op.f("fk_payment_beneficiaries_payment_id"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("payment_id", "person_id", name=op.f("pk_payment_beneficiaries")),
        sa.UniqueConstraint(
            "programme", "person_id", "month", name="uq_payment_beneficiaries_once_a_month"
        ),
    )


def _exceptions() -> None:
    op.create_table(
        "payment_exceptions",
        sa.Column("exception_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["payment_runs.run_id"], name=op.f("fk_payment_exceptions_run_id")
        ),
        sa.PrimaryKeyConstraint("exception_id", name=op.f("pk_payment_exceptions")),
        sa.UniqueConstraint("run_id", "household_id", "code", name="uq_payment_exceptions_once"),
    )
    op.create_index("ix_payment_exceptions_division", "payment_exceptions", ["division_code"])
