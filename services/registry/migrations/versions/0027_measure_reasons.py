"""Why a measure was dropped is encrypted like the rest of a plan's words; raw answers by age.

The api of the release before goes on meanwhile: its column stays, empty, until the next release.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared import crypto

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
_WORDS = "registry.words"


def upgrade() -> None:
    op.add_column("plan_measures", sa.Column("reason_encrypted", sa.LargeBinary()))
    op.alter_column("plan_measures", "reason", server_default="")
    written = "SELECT measure_id, reason FROM plan_measures WHERE reason <> ''"
    order = "UPDATE plan_measures SET reason_encrypted = :new, reason = '' WHERE measure_id = :id"
    _rewrite(written, order, lambda reason: crypto.encrypt(reason.strip(), purpose=_WORDS))
    op.execute(
        "CREATE INDEX ix_verification_items_kept ON verification_items "
        "(division_code, answered_at) WHERE answer_encrypted IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_verification_items_kept")
    written = (
        "SELECT measure_id, reason_encrypted FROM plan_measures WHERE reason_encrypted IS NOT NULL"
    )
    order = "UPDATE plan_measures SET reason = :new WHERE measure_id = :id"
    _rewrite(written, order, lambda sealed: crypto.decrypt(bytes(sealed), purpose=_WORDS))
    op.alter_column("plan_measures", "reason", server_default=None)
    op.drop_column("plan_measures", "reason_encrypted")


def _rewrite(written: str, order: str, anew: Callable[[Any], Any]) -> None:
    op.execute("ALTER TABLE plan_measures NO FORCE ROW LEVEL SECURITY")
    connection = op.get_bind()
    for measure_id, value in connection.execute(sa.text(written)).all():
        connection.execute(sa.text(order), {"new": anew(value), "id": measure_id})
    op.execute("ALTER TABLE plan_measures FORCE ROW LEVEL SECURITY")
