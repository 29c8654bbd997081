"""The scans of an application's papers."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("application_papers", sa.Column("attachment_id", sa.Uuid))


def downgrade() -> None:
    op.drop_column("application_papers", "attachment_id")
