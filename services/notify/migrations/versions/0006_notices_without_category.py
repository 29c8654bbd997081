"""Notices of temporary assistance: a household may be in none of the five categories."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE notices ALTER COLUMN category DROP NOT NULL")


def downgrade() -> None:
    # Such a notice fits no older schema; whoever goes back decides what becomes of it first.
    op.execute("ALTER TABLE notices ALTER COLUMN category SET NOT NULL")
