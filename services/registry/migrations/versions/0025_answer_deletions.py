"""Deletions of raw answers: asked for by one officer, approved by another."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE answer_deletions (
            deletion_id uuid NOT NULL,
            division_code text COLLATE "C" NOT NULL,
            used_before date NOT NULL,
            reason text NOT NULL,
            requested_by text COLLATE "C" NOT NULL,
            requested_at timestamptz NOT NULL,
            approved_by text COLLATE "C",
            approved_at timestamptz,
            job_id uuid,
            deleted integer NOT NULL,
            done_at timestamptz,
            CONSTRAINT pk_answer_deletions PRIMARY KEY (deletion_id)
        )"""
    )
    op.execute(
        "CREATE INDEX ix_answer_deletions_division_code "
        "ON answer_deletions (division_code, deletion_id)"
    )
    protect_by_division("answer_deletions")
    grant("registry", "answer_deletions", api="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE")


def downgrade() -> None:
    op.execute("DROP TABLE answer_deletions")
