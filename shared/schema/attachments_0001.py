"""The table of shared/attachments.py, for the migrations of services that take attachments."""

from alembic import op

from shared.schema.access import grant, protect_by_division


def upgrade(service: str) -> None:
    """Create it."""
    op.execute(
        """
        CREATE TABLE attachments (
            attachment_id uuid NOT NULL,
            sha256 text COLLATE "C" NOT NULL,
            media_type text COLLATE "C" NOT NULL,
            size integer NOT NULL,
            division_code text COLLATE "C" NOT NULL,
            household_id uuid,
            taken_at timestamptz,
            handed_in_by text COLLATE "C" NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_attachments PRIMARY KEY (attachment_id)
        )"""
    )
    op.execute("CREATE INDEX ix_attachments_household_id ON attachments (household_id)")
    protect_by_division("attachments")
    both = "SELECT, INSERT, UPDATE (household_id, division_code)"
    grant(service, "attachments", api=both, worker=both)


def downgrade(_service: str) -> None:
    """Drop it."""
    op.execute("DROP TABLE attachments")
