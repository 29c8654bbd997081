"""Dropout cases, kept for good."""

import sqlalchemy as sa
from alembic import op

from shared.schema import access

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dropout_cases",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reported_by", sa.Text(), nullable=False),
        sa.Column("absent_since", sa.Date(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("proof_kind", sa.Text(), nullable=True),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(closed_on IS NULL) = (outcome IS NULL)",
            name=op.f("ck_dropout_cases_closed_with_outcome"),
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome = 'reported_in_error' OR proof IS NOT NULL",
            name=op.f("ck_dropout_cases_closed_with_proof"),
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_dropout_cases")),
    )
    op.create_index(
        "uq_dropout_cases_open",
        "dropout_cases",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_index("ix_dropout_cases_person", "dropout_cases", ["person_id"])
    op.create_index("ix_dropout_cases_division", "dropout_cases", ["division_code", "case_id"])
    # The api opens and closes; the worker takes a case along when its child moves.
    access.grant(
        "education", "dropout_cases", api="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE"
    )
    access.protect_by_division("dropout_cases")


def downgrade() -> None:
    op.drop_table("dropout_cases")
