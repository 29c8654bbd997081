"""Aid runs, aid, and who was due and could not be granted it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.schema import access

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _runs()
    _aid()
    _exceptions()
    access.grant("education", "aid_runs", api="SELECT, INSERT", worker="SELECT")
    # The api signs a run as paid; money itself is moved by the worker alone.
    op.execute("GRANT UPDATE (paid_on, paid_by, pay_job_id) ON aid_runs TO education_api")
    access.grant("education", "aid", api="SELECT", worker="SELECT, INSERT, UPDATE")
    access.grant("education", "aid_exceptions", api="SELECT", worker="SELECT, INSERT")
    for table in ("aid_runs", "aid", "aid_exceptions"):
        access.protect_by_division(table)


def downgrade() -> None:
    for table in ("aid_exceptions", "aid", "aid_runs"):
        op.drop_table(table)


def _runs() -> None:
    op.create_table(
        "aid_runs",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_by", sa.Text(), nullable=True),
        sa.Column("pay_job_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(paid_on IS NULL) = (paid_by IS NULL)", name=op.f("ck_aid_runs_paid_by_somebody")
        ),
        sa.CheckConstraint("paid_by <> created_by", name=op.f("ck_aid_runs_two_officers")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_aid_runs")),
    )
    op.create_index("ix_aid_runs_division", "aid_runs", ["division_code", "term"])


def _aid() -> None:
    op.create_table(
        "aid",
        sa.Column("aid_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("fund", sa.Text(), nullable=False),
        sa.Column("parameter_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_aid_amount_positive")),
        sa.ForeignKeyConstraint(["run_id"], ["aid_runs.run_id"], name=op.f("fk_aid_run_id")),
        sa.PrimaryKeyConstraint("aid_id", name=op.f("pk_aid")),
        sa.UniqueConstraint("person_id", "term", "programme", name="uq_aid_once_a_term"),
    )
    op.create_index("ix_aid_run", "aid", ["run_id", "aid_id"])
    op.create_index("ix_aid_division", "aid", ["division_code", "aid_id"])
    op.create_index("ix_aid_household", "aid", ["household_id", "aid_id"])


def _exceptions() -> None:
    op.create_table(
        "aid_exceptions",
        sa.Column("exception_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["aid_runs.run_id"], name=op.f("fk_aid_exceptions_run_id")
        ),
        sa.PrimaryKeyConstraint("exception_id", name=op.f("pk_aid_exceptions")),
        sa.UniqueConstraint("run_id", "person_id", "code", name="uq_aid_exceptions_once"),
    )
    op.create_index("ix_aid_exceptions_division", "aid_exceptions", ["division_code"])
