"""What happened to households across all services, and the console's sessions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.schema import access

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _happenings()
    _sessions()
    access.grant("notify", "happenings", api="SELECT")
    access.protect_by_division("happenings")
    # no household data: a sealed token, found by the hash of what the browser holds
    access.grant("notify", "console_sessions", api="SELECT, INSERT, DELETE", worker="SELECT")


def downgrade() -> None:
    for table in ("console_sessions", "happenings"):
        op.drop_table(table)


def _happenings() -> None:
    op.create_table(
        "happenings",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("division_code", sa.Text(collation="C"), nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(14, 2), nullable=True),
        sa.Column("month", sa.Date(), nullable=True),
        sa.Column("detail", JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("source", "aggregate_id", "part", name=op.f("pk_happenings")),
    )
    op.create_index(
        "ix_happenings_household",
        "happenings",
        ["household_id", "happened_on", "rank", "source", "aggregate_id", "part"],
    )
    op.create_index(
        "ix_happenings_division", "happenings", ["division_code", "kind", "happened_on"]
    )
    op.create_index(
        "ix_happenings_measures",
        "happenings",
        ["division_code", "month"],
        postgresql_where=sa.text("kind = 'assistance'"),
    )
    op.create_index(
        "ix_happenings_guarantees",
        "happenings",
        ["division_code", "code"],
        postgresql_where=sa.text("kind = 'guarantee' AND newest"),
    )


def _sessions() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_console_sessions")),
    )
    op.create_index("ix_console_sessions_expires_at", "console_sessions", ["expires_at"])
