"""Job placements, kept for good."""

import sqlalchemy as sa
from alembic import op

from shared.schema import access

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "placements",
        sa.Column("placement_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("employer", sa.Text(), nullable=True),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("monthly_wage", sa.Numeric(14, 2), nullable=True),
        sa.Column("counts_from", sa.Date(), nullable=False),
        sa.Column("months_parameter_id", sa.Uuid(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("turns_on", sa.Date(), nullable=True),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        *_checks(),
        sa.ForeignKeyConstraint(
            ["person_id"], ["labour_profiles.person_id"], name=op.f("fk_placements_person_id")
        ),
        sa.PrimaryKeyConstraint("placement_id", name=op.f("pk_placements")),
    )
    _indexes()
    # No DELETE for anybody: a placement ends, and one entered in error ends as such.
    access.grant("employment", "placements", api="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE")
    access.protect_by_division("placements")


def downgrade() -> None:
    op.drop_table("placements")


def _checks() -> tuple[sa.CheckConstraint, ...]:
    conditions = {
        "until_not_before_begin": "until >= begins_on",
        "ended_not_before_begin": "ended_on >= begins_on",
        "ended_with_reason": "(ended_on IS NULL) = (end_reason IS NULL)",
        "wage_not_negative": "monthly_wage >= 0",
    }
    return tuple(
        sa.CheckConstraint(condition, name=op.f(f"ck_placements_{name}"))
        for name, condition in conditions.items()
    )


def _indexes() -> None:
    op.create_index(
        "uq_placements_open",
        "placements",
        ["person_id", "kind"],
        unique=True,
        postgresql_where=sa.text("ended_on IS NULL"),
    )
    op.create_index("ix_placements_person", "placements", ["person_id"])
    op.create_index("ix_placements_household", "placements", ["household_id"])
    op.create_index("ix_placements_division", "placements", ["division_code", "placement_id"])
    op.create_index(
        "ix_placements_turns_on",
        "placements",
        ["turns_on", "placement_id"],
        postgresql_where=sa.text("turns_on IS NOT NULL"),
    )
