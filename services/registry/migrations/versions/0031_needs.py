"""Doubts that show a need: what became of it."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE verification_doubts ADD COLUMN need text COLLATE "C"')
    op.execute(
        "CREATE INDEX ix_verification_doubts_need ON verification_doubts (doubt_id) "
        "WHERE need = 'waiting'"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE verification_doubts DROP COLUMN need")
