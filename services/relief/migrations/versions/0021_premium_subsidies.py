"""Premium runs, subsidies once a person and year, and who was left out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.schema import access

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
PLACE = sa.Text(collation="C")


def upgrade() -> None:
    _runs()
    _subsidies()
    _exceptions()
    access.grant("relief", "premium_runs", worker="SELECT")
    # The api signs a run as paid; the money itself is moved by the worker alone.
    op.execute("GRANT UPDATE (paid_on, confirmed_by) ON premium_runs TO relief_api")
    access.grant("relief", "premium_subsidies", api="SELECT", worker="SELECT, INSERT, UPDATE")
    access.grant("relief", "premium_exceptions", api="SELECT", worker="SELECT, INSERT")
    for table in ("premium_runs", "premium_subsidies", "premium_exceptions"):
        access.protect_by_division(table)


def downgrade() -> None:
    for table in ("premium_exceptions", "premium_subsidies", "premium_runs"):
        op.drop_table(table)


def _runs() -> None:
    op.create_table(
        "premium_runs",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("division_code", PLACE, nullable=False),
        sa.Column("enrolled_on", sa.Date(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_premium_runs")),
    )
    op.create_index("ix_premium_runs_division", "premium_runs", ["division_code", "year"])


def _subsidies() -> None:
    op.create_table(
        "premium_subsidies",
        sa.Column("subsidy_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", PLACE, nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(14, 2), nullable=False),
        sa.Column("basis", JSONB(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_premium_subsidies_amount_positive")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["premium_runs.run_id"], name=op.f("fk_premium_subsidies_run_id")
        ),
        sa.PrimaryKeyConstraint("subsidy_id", name=op.f("pk_premium_subsidies")),
        sa.UniqueConstraint("person_id", "year", name="uq_premium_subsidies_once_a_year"),
    )
    for name, columns in (
        ("run", ["run_id", "subsidy_id"]),
        ("division", ["division_code", "subsidy_id"]),
        ("household", ["household_id", "year"]),
    ):
        op.create_index(f"ix_premium_subsidies_{name}", "premium_subsidies", columns)


def _exceptions() -> None:
    op.create_table(
        "premium_exceptions",
        sa.Column("exception_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", PLACE, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["premium_runs.run_id"], name=op.f("fk_premium_exceptions_run_id")
        ),
        sa.PrimaryKeyConstraint("exception_id", name=op.f("pk_premium_exceptions")),
        sa.UniqueConstraint(
            "run_id", "household_id", "person_id", name="uq_premium_exceptions_once"
        ),
    )
    op.create_index("ix_premium_exceptions_division", "premium_exceptions", ["division_code"])
