"""The village whose board a notice was for, wherever the household moves since."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice_requests", sa.Column("announced_in", sa.Text(collation="C")))
    op.execute("ALTER TABLE notice_requests NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE notice_requests SET announced_in = division_code")
    op.execute("ALTER TABLE notice_requests FORCE ROW LEVEL SECURITY")
    op.alter_column("notice_requests", "announced_in", nullable=False)


def downgrade() -> None:
    op.drop_column("notice_requests", "announced_in")
