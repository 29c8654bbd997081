"""Until when a county owes a grant to a household that moved to another one."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE dibao_grants ADD COLUMN until_month date")


def downgrade() -> None:
    op.execute("ALTER TABLE dibao_grants DROP COLUMN until_month")
