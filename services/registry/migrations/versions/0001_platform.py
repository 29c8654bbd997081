"""The tables that every service has."""

from shared.schema import platform_0001

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    platform_0001.upgrade("registry")


def downgrade() -> None:
    platform_0001.downgrade("registry")
