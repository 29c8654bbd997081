"""Guarantees given, labour profiles, households under R30, and zero-employment cases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.schema import access, guarantees_0001

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WRITES = "SELECT, INSERT, UPDATE"
TABLES = ("labour_profiles", "household_labour", "zero_employment_cases")


def upgrade() -> None:
    guarantees_0001.upgrade("employment")
    _profiles()
    _households()
    _cases()
    # No DELETE for anybody: a profile rests, a case is closed.
    access.grant("employment", "labour_profiles", api="SELECT, UPDATE", worker=WRITES)
    access.grant("employment", "household_labour", api="SELECT, UPDATE", worker=WRITES)
    access.grant("employment", "zero_employment_cases", api=WRITES, worker=WRITES)
    for table in TABLES:
        access.protect_by_division(table)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    guarantees_0001.downgrade("employment")


def _profiles() -> None:
    op.create_table(
        "labour_profiles",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("able", sa.Boolean(), nullable=False),
        sa.Column("willing", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reasons", ARRAY(sa.Text()), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_labour_profiles")),
    )
    op.create_index(
        "ix_labour_profiles_division", "labour_profiles", ["division_code", "person_id"]
    )
    op.create_index("ix_labour_profiles_household", "labour_profiles", ["household_id"])


def _households() -> None:
    op.create_table(
        "household_labour",
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("on_assistance", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("able", sa.SmallInteger(), nullable=False),
        sa.Column("willing", sa.SmallInteger(), nullable=False),
        sa.Column("employed", sa.SmallInteger(), nullable=False),
        sa.Column("look_again_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_household_labour")),
    )
    op.create_index("ix_household_labour_division", "household_labour", ["division_code"])
    op.create_index(
        "ix_household_labour_look_again",
        "household_labour",
        ["look_again_on", "household_id"],
        postgresql_where=sa.text("look_again_on IS NOT NULL"),
    )


def _cases() -> None:
    op.create_table(
        "zero_employment_cases",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("offer_due_on", sa.Date(), nullable=True),
        sa.Column("offer_due_provisional", sa.Boolean(), nullable=False),
        sa.Column("limit_parameter_id", sa.Uuid(), nullable=True),
        sa.Column("person_ids", ARRAY(sa.Uuid()), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("closing_evidence", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(closed_on IS NULL) = (outcome IS NULL)",
            name=op.f("ck_zero_employment_cases_closed_with_outcome"),
        ),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_zero_employment_cases")),
    )
    op.create_index(
        "uq_zero_employment_cases_open",
        "zero_employment_cases",
        ["household_id"],
        unique=True,
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_index("ix_zero_employment_cases_household", "zero_employment_cases", ["household_id"])
    op.create_index(
        "ix_zero_employment_cases_division", "zero_employment_cases", ["division_code", "case_id"]
    )
