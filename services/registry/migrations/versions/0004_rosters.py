"""Uploaded rosters and their reports, row by row."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from shared.schema.access import grant, protect_by_division

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")


def upgrade() -> None:
    op.create_table(
        "rosters",
        sa.Column("roster_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", CODE, nullable=False),
        sa.Column("county_code", CODE, nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("file_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_sub", CODE, nullable=False),
        sa.Column("uploaded_officer", CODE, nullable=True),
        sa.Column("uploaded_bureau", sa.String(), nullable=True),
        sa.Column("uploaded_unit", sa.String(), nullable=True),
        sa.Column("uploaded_divisions", postgresql.ARRAY(CODE), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("roster_id", name=op.f("pk_rosters")),
    )
    op.create_index("ix_rosters_division_code", "rosters", ["division_code", "created_at"])
    op.create_table(
        "roster_findings",
        sa.Column("roster_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("division_code", CODE, nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=True),
        sa.Column("last_row", sa.Integer(), nullable=True),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("head_name", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("category", CODE, nullable=True),
        sa.Column("verdict", CODE, nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("holds", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("facts_encrypted", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["roster_id"],
            ["rosters.roster_id"],
            name=op.f("fk_roster_findings_roster_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("roster_id", "ordinal", name=op.f("pk_roster_findings")),
    )
    op.create_index(
        "ix_roster_findings_verdict", "roster_findings", ["roster_id", "verdict", "ordinal"]
    )
    op.create_index(
        "ix_roster_findings_warned",
        "roster_findings",
        ["roster_id", "ordinal"],
        postgresql_where=sa.text("warned"),
    )
    op.create_index("ix_roster_findings_household_id", "roster_findings", ["household_id"])
    for table in ("rosters", "roster_findings"):
        protect_by_division(table)
    grant("registry", "rosters", api="SELECT, INSERT", worker="SELECT")
    grant("registry", "roster_findings", api="SELECT", worker="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table("roster_findings")
    op.drop_table("rosters")
