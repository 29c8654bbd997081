"""Tekun is paid: by grants of its own, to institutions too, and never beside dibao."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A grant lies in its programme's own table from now on. Nobody may delete from either.
    op.drop_constraint("fk_payments_grant_id", "payments", type_="foreignkey")
    op.add_column("payments", sa.Column("payee_institution_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_payments_payee_institution_id",
        "payments",
        "tekun_institutions",
        ["payee_institution_id"],
        ["institution_id"],
    )
    # Every claim so far is one of dibao; code that does not know the column writes the same.
    op.add_column(
        "payment_beneficiaries",
        sa.Column("claim", sa.Text(), server_default="living", nullable=False),
    )
    op.create_unique_constraint(
        "uq_payment_beneficiaries_claimed_once",
        "payment_beneficiaries",
        ["claim", "person_id", "month"],
    )


def downgrade() -> None:
    op.drop_constraint("uq_payment_beneficiaries_claimed_once", "payment_beneficiaries")
    op.drop_column("payment_beneficiaries", "claim")
    op.drop_constraint("fk_payments_payee_institution_id", "payments", type_="foreignkey")
    op.drop_column("payments", "payee_institution_id")
    op.create_foreign_key(
        "fk_payments_grant_id", "payments", "dibao_grants", ["grant_id"], ["grant_id"]
    )
