"""Visits to households."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE visits (
            visit_id uuid NOT NULL,
            household_id uuid NOT NULL,
            division_code text COLLATE "C" NOT NULL,
            kind text COLLATE "C" NOT NULL,
            visited_on date NOT NULL,
            officer_id text COLLATE "C" NOT NULL,
            findings_encrypted bytea NOT NULL,
            latitude numeric(8, 5),
            longitude numeric(8, 5),
            food_and_clothing boolean,
            housing boolean,
            medical boolean,
            schooling boolean,
            income boolean,
            photos uuid[] NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_visits PRIMARY KEY (visit_id),
            CONSTRAINT fk_visits_household_id_households FOREIGN KEY (household_id)
                REFERENCES households (household_id)
        )"""
    )
    op.execute("CREATE INDEX ix_visits_household_id ON visits (household_id, visited_on)")
    op.execute("CREATE INDEX ix_visits_division_code ON visits (division_code, visit_id)")
    op.execute("CREATE INDEX ix_visits_officer_id ON visits (officer_id, visit_id)")
    protect_by_division("visits")
    both = "SELECT, INSERT, UPDATE (division_code)"
    grant("registry", "visits", api=both, worker="SELECT, UPDATE (division_code)")


def downgrade() -> None:
    op.execute("DROP TABLE visits")
