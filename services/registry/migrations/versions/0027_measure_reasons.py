"""Why a measure was dropped is encrypted like the rest of a plan's words; raw answers by age."""

import sqlalchemy as sa
from alembic import op

from shared import crypto

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plan_measures", sa.Column("reason_encrypted", sa.LargeBinary()))
    op.execute("ALTER TABLE plan_measures NO FORCE ROW LEVEL SECURITY")
    connection = op.get_bind()
    written = connection.execute(
        sa.text("SELECT measure_id, reason FROM plan_measures WHERE reason <> ''")
    )
    for measure_id, reason in written.all():
        connection.execute(
            sa.text("UPDATE plan_measures SET reason_encrypted = :sealed WHERE measure_id = :id"),
            {"sealed": crypto.encrypt(reason.strip(), purpose="registry.words"), "id": measure_id},
        )
    op.execute("ALTER TABLE plan_measures FORCE ROW LEVEL SECURITY")
    op.drop_column("plan_measures", "reason")
    op.execute(
        "CREATE INDEX ix_verification_items_kept ON verification_items "
        "(division_code, answered_at) WHERE answer_encrypted IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_verification_items_kept")
    op.add_column(
        "plan_measures", sa.Column("reason", sa.Text(), nullable=False, server_default="")
    )
    op.alter_column("plan_measures", "reason", server_default=None)
    op.drop_column("plan_measures", "reason_encrypted")
