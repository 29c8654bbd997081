"""Which topic an offset belongs to, and what becomes of a topic that was made anew."""

from shared.schema import platform_0002

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    platform_0002.upgrade("employment")


def downgrade() -> None:
    platform_0002.downgrade("employment")
