"""The tables that every service has, and the copy of the households that it listens to."""

from shared.schema import household_copy_0001, platform_0001

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    platform_0001.upgrade("employment")
    household_copy_0001.upgrade("employment")


def downgrade() -> None:
    household_copy_0001.downgrade("employment")
    platform_0001.downgrade("employment")
