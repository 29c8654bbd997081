"""Which topic an offset belongs to, and what becomes of a topic that was made anew."""

from shared.schema import platform_0002

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    platform_0002.upgrade("registry")


def downgrade() -> None:
    platform_0002.downgrade("registry")
