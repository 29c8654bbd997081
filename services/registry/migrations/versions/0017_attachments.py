"""Photos and signed papers."""

from shared.schema import attachments_0001

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    attachments_0001.upgrade("registry")


def downgrade() -> None:
    attachments_0001.downgrade("registry")
