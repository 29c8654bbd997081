"""The day on which the money of a run reached its households, and who said so."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment_runs", sa.Column("paid_on", sa.Date(), nullable=True))
    op.add_column("payment_runs", sa.Column("confirmed_by", sa.Text(), nullable=True))
    op.add_column("payments", sa.Column("paid_on", sa.Date(), nullable=True))
    # The api signs a run as paid; the money itself is moved by the worker alone.
    op.execute("GRANT UPDATE (paid_on, confirmed_by) ON payment_runs TO relief_api")


def downgrade() -> None:
    op.execute("REVOKE UPDATE (paid_on, confirmed_by) ON payment_runs FROM relief_api")
    op.drop_column("payments", "paid_on")
    op.drop_column("payment_runs", "confirmed_by")
    op.drop_column("payment_runs", "paid_on")
