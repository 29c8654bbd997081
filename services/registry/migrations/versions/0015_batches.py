"""Lines of partners' batches that were carried out."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE batch_lines (
            partner text COLLATE "C" NOT NULL,
            batch text COLLATE "C" NOT NULL,
            line integer NOT NULL,
            division_code text COLLATE "C" NOT NULL,
            content_hash bytea NOT NULL,
            verdict text COLLATE "C" NOT NULL,
            household_id uuid NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_batch_lines PRIMARY KEY (partner, batch, line)
        )"""
    )
    protect_by_division("batch_lines")
    grant("registry", "batch_lines", api="SELECT, INSERT", worker="SELECT")


def downgrade() -> None:
    op.execute("DROP TABLE batch_lines")
