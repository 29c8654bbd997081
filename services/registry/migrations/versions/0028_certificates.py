"""Certificates of households on assistance."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE certificates (
            certificate_id uuid NOT NULL,
            household_id uuid NOT NULL,
            division_code text COLLATE "C" NOT NULL,
            issued_in text COLLATE "C" NOT NULL,
            number text COLLATE "C" NOT NULL,
            serial integer NOT NULL,
            category text COLLATE "C" NOT NULL,
            ground text COLLATE "C" NOT NULL,
            issued_on date NOT NULL,
            issued_by text COLLATE "C" NOT NULL,
            print_count integer NOT NULL,
            ended_on date,
            ended_by text COLLATE "C",
            end_reason text NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_certificates PRIMARY KEY (certificate_id),
            CONSTRAINT uq_certificates_number UNIQUE (number),
            CONSTRAINT fk_certificates_household_id_households FOREIGN KEY (household_id)
                REFERENCES households (household_id)
        )"""
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_certificates_standing ON certificates (household_id) "
        "WHERE ended_on IS NULL"
    )
    op.execute("CREATE INDEX ix_certificates_household_id ON certificates (household_id, serial)")
    op.execute(
        "CREATE INDEX ix_certificates_division_code ON certificates (division_code, certificate_id)"
    )
    protect_by_division("certificates")
    moved = "SELECT, UPDATE (division_code)"
    grant("registry", "certificates", api="SELECT, INSERT, UPDATE", worker=moved)


def downgrade() -> None:
    op.execute("DROP TABLE certificates")
