"""Decisions that a county leaves to a township, and what each such decision rests on."""

import sqlalchemy as sa
from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE decision_delegations (
            delegation_id uuid NOT NULL,
            division_code text COLLATE "C" NOT NULL,
            category text COLLATE "C" NOT NULL,
            valid_from date NOT NULL,
            document text NOT NULL,
            entered_by text COLLATE "C" NOT NULL,
            approved_by text COLLATE "C",
            approved_on date,
            ended_by text COLLATE "C",
            ended_on date,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_decision_delegations PRIMARY KEY (delegation_id)
        )"""
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_decision_delegations_standing "
        "ON decision_delegations (division_code, category) WHERE ended_on IS NULL"
    )
    op.execute(
        "CREATE INDEX ix_decision_delegations_division_code "
        "ON decision_delegations (division_code, delegation_id)"
    )
    protect_by_division("decision_delegations")
    grant("registry", "decision_delegations", api="SELECT, INSERT, UPDATE", worker="SELECT")
    op.add_column("application_decisions", sa.Column("decided_in", sa.Text(collation="C")))
    op.add_column("application_decisions", sa.Column("delegation_id", sa.Uuid()))
    op.create_foreign_key(
        "fk_application_decisions_delegation_id",
        "application_decisions",
        "decision_delegations",
        ["delegation_id"],
        ["delegation_id"],
    )


def downgrade() -> None:
    op.drop_column("application_decisions", "delegation_id")
    op.drop_column("application_decisions", "decided_in")
    op.execute("DROP TABLE decision_delegations")
