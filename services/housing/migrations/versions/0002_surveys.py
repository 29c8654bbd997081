"""Dwellings, the files of dangerous houses, and the guarantees that housing has stated."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.schema import access, guarantees_0001

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    guarantees_0001.upgrade("housing")
    _dwellings()
    _files()
    # The api records who moved out and what was renovated; a dwelling comes from the registry only.
    access.grant("housing", "dwellings", api="SELECT, UPDATE", worker="SELECT, INSERT, UPDATE")
    access.grant(
        "housing", "dangerous_house_files", api="SELECT, UPDATE", worker="SELECT, INSERT, UPDATE"
    )
    for table in ("dwellings", "dangerous_house_files"):
        access.protect_by_division(table)


def downgrade() -> None:
    op.drop_table("dangerous_house_files")
    op.drop_table("dwellings")
    guarantees_0001.downgrade("housing")


def _dwellings() -> None:
    op.create_table(
        "dwellings",
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("grade_since", sa.Date(), nullable=False),
        sa.Column("on_file", sa.Boolean(), nullable=False),
        sa.Column("occupied", sa.Boolean(), nullable=False),
        sa.Column("occupied_since", sa.Date(), nullable=True),
        sa.Column("occupancy_history", JSONB(), nullable=False),
        sa.Column("renovated_file_id", sa.Uuid(), nullable=True),
        sa.Column("renovated_on", sa.Date(), nullable=True),
        sa.CheckConstraint("grade IN ('A', 'B', 'C', 'D')", name=op.f("ck_dwellings_grade_known")),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_dwellings")),
    )
    op.create_index("ix_dwellings_division", "dwellings", ["division_code", "household_id"])


def _files() -> None:
    op.create_table(
        "dangerous_house_files",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("grade_history", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closing_cause", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "grade IN ('C', 'D')", name=op.f("ck_dangerous_house_files_grade_dangerous")
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_on IS NOT NULL AND closing_cause IS NOT NULL)",
            name=op.f("ck_dangerous_house_files_closed_with_cause"),
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["dwellings.household_id"],
            name=op.f("fk_dangerous_house_files_household_id"),
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_dangerous_house_files")),
    )
    table = "dangerous_house_files"
    op.create_index(
        "uq_dangerous_house_files_open",
        table,
        ["household_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_dangerous_house_files_household", table, ["household_id", "file_id"])
    op.create_index("ix_dangerous_house_files_division", table, ["division_code", "file_id"])
