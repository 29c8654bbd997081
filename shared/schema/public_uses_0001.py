"""The table of shared/public_uses.py, for the migrations of services with public routes."""

from alembic import op

from shared.schema.access import grant


def upgrade(service: str) -> None:
    """Create it."""
    op.execute(
        """
        CREATE TABLE public_uses (
            purpose text COLLATE "C" NOT NULL,
            day date NOT NULL,
            sender_hash bytea NOT NULL,
            uses integer NOT NULL,
            CONSTRAINT pk_public_uses PRIMARY KEY (purpose, day, sender_hash)
        )"""
    )
    grant(
        service,
        "public_uses",
        api="SELECT, INSERT, UPDATE",
        worker="SELECT, INSERT, UPDATE, DELETE",
    )


def downgrade(_service: str) -> None:
    """Drop it."""
    op.execute("DROP TABLE public_uses")
