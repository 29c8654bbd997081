"""The copy of the registry's households in a listener's database, version 1."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.schema import access


def upgrade(service: str) -> None:
    """Create the copy for ``service``: its api reads it by division, its worker writes it."""
    _households()
    _members()
    for table in ("household_copy", "member_copy"):
        access.grant(service, table, api="SELECT")
        access.protect_by_division(table)


def downgrade(_service: str) -> None:
    """Drop it; it can be filled again from the registry's history (events replay)."""
    op.drop_table("member_copy")
    op.drop_table("household_copy")


def _households() -> None:
    op.create_table(
        "household_copy",
        sa.Column("household_id", sa.Uuid, nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("tags", ARRAY(sa.Text), nullable=False),
        sa.Column("causes", ARRAY(sa.Text), nullable=False),
        sa.Column("rule_set", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("effective_from", sa.Date, nullable=False),
        sa.Column("keep_policy_until", sa.Date),
        sa.Column("head_person_id", sa.Uuid, nullable=False),
        sa.Column("house_grade", sa.Text),
        sa.Column("incomes", JSONB, nullable=False),
        sa.Column("rigid_expenses", JSONB, nullable=False),
        sa.Column("assets", JSONB, nullable=False),
        sa.Column("episodes", JSONB, nullable=False),
        sa.Column("periods", JSONB, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("household_id", name="pk_household_copy"),
    )
    op.create_index("ix_household_copy_division_code", "household_copy", ["division_code"])


def _members() -> None:
    op.create_table(
        "member_copy",
        sa.Column("household_id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.SmallInteger, nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("relation", sa.Text, nullable=False),
        sa.Column("sex", sa.Text, nullable=False),
        sa.Column("birth_date", sa.Date, nullable=False),
        sa.Column("health", sa.Text),
        sa.Column("disability", JSONB),
        sa.Column("labor_ability", sa.Text),
        sa.Column("willing_to_work", sa.Boolean),
        sa.Column("education", sa.Text),
        sa.Column("school_stage", sa.Text),
        sa.Column("work", sa.Text),
        sa.Column("insured", sa.Boolean),
        sa.Column("left_behind", sa.Boolean),
        sa.Column("counted", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("household_id", "person_id", name="pk_member_copy"),
    )
    op.create_index("ix_member_copy_person_id", "member_copy", ["person_id"])
    op.create_index("ix_member_copy_division_code", "member_copy", ["division_code"])
