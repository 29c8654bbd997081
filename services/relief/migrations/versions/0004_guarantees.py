"""The guarantees that relief has stated."""

from shared.schema import guarantees_0001

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    guarantees_0001.upgrade("relief")


def downgrade() -> None:
    guarantees_0001.downgrade("relief")
