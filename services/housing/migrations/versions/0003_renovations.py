"""Renovations and the stages they went through."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.schema import access

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _renovations()
    _stages()
    # The worker only lets them follow a household that moved; a recorded stage stays as it is.
    access.grant("housing", "renovations", api="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE")
    access.grant("housing", "renovation_stages", api="SELECT, INSERT", worker="SELECT, UPDATE")
    for table in ("renovations", "renovation_stages"):
        access.protect_by_division(table)


def downgrade() -> None:
    op.drop_table("renovation_stages")
    op.drop_table("renovations")


def _renovations() -> None:
    op.create_table(
        "renovations",
        sa.Column("renovation_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("disaster", sa.Boolean(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("appraised_grade", sa.Text(), nullable=True),
        sa.Column("plan_year", sa.SmallInteger(), nullable=True),
        sa.Column("contractor", sa.Text(), nullable=True),
        sa.Column("actual_cost", sa.Numeric(14, 2), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(14, 2), nullable=True),
        sa.Column("reckoning", JSONB(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_by", sa.Text(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <= actual_cost", name=op.f("ck_renovations_amount_within_cost")),
        sa.CheckConstraint(
            "(stage IN ('accepted', 'paid')) = (amount IS NOT NULL)",
            name=op.f("ck_renovations_amount_once_accepted"),
        ),
        sa.CheckConstraint("paid_by <> accepted_by", name=op.f("ck_renovations_two_people")),
        sa.ForeignKeyConstraint(
            ["file_id"], ["dangerous_house_files.file_id"], name=op.f("fk_renovations_file_id")
        ),
        sa.PrimaryKeyConstraint("renovation_id", name=op.f("pk_renovations")),
    )
    op.create_index(
        "uq_renovations_file",
        "renovations",
        ["file_id"],
        unique=True,
        postgresql_where=sa.text("stage <> 'cancelled'"),
    )
    op.create_index(
        "uq_renovations_running",
        "renovations",
        ["household_id"],
        unique=True,
        postgresql_where=sa.text("stage NOT IN ('accepted', 'paid', 'cancelled')"),
    )
    op.create_index("ix_renovations_household", "renovations", ["household_id", "renovation_id"])
    op.create_index("ix_renovations_division", "renovations", ["division_code", "renovation_id"])


def _stages() -> None:
    op.create_table(
        "renovation_stages",
        sa.Column("renovation_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("parties", JSONB(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["renovation_id"],
            ["renovations.renovation_id"],
            name=op.f("fk_renovation_stages_renovation_id"),
        ),
        sa.PrimaryKeyConstraint("renovation_id", "stage", name=op.f("pk_renovation_stages")),
    )
    op.create_index("ix_renovation_stages_division", "renovation_stages", ["division_code"])
