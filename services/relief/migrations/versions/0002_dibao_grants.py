"""Dibao decisions, kept for good."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.schema import access

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dibao_grants",
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("from_month", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(14, 2), nullable=True),
        sa.Column("entitled", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("people", sa.SmallInteger(), nullable=False),
        sa.Column("explanation", JSONB(), nullable=False),
        sa.Column("household_version", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_dibao_grants_amount_not_negative")),
        sa.CheckConstraint(
            "entitled OR amount = 0", name=op.f("ck_dibao_grants_nothing_unentitled")
        ),
        sa.CheckConstraint(
            "extract(day FROM from_month) = 1",
            name=op.f("ck_dibao_grants_from_first_of_month"),
        ),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_dibao_grants")),
    )
    live = sa.text("superseded_at IS NULL")
    op.create_index(
        "uq_dibao_grants_live",
        "dibao_grants",
        ["household_id", "from_month"],
        unique=True,
        postgresql_where=live,
    )
    op.create_index(
        "ix_dibao_grants_division",
        "dibao_grants",
        ["division_code", "household_id"],
        postgresql_where=live,
    )
    op.create_index("ix_dibao_grants_household", "dibao_grants", ["household_id", "from_month"])
    # No DELETE for anybody: a decision is superseded, never removed.
    access.grant("relief", "dibao_grants", api="SELECT", worker="SELECT, INSERT, UPDATE")
    access.protect_by_division("dibao_grants")


def downgrade() -> None:
    op.drop_table("dibao_grants")
