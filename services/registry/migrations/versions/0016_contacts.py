"""Data stewards and liaison contacts. A county's are read by its townships as well."""

from alembic import op

from shared.schema.access import grant, protect_writes_by_division

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE contacts (
            contact_id uuid NOT NULL,
            role text COLLATE "C" NOT NULL,
            division_code text COLLATE "C" NOT NULL,
            bureau text COLLATE "C",
            unit text NOT NULL,
            officer_id text COLLATE "C" NOT NULL,
            name text NOT NULL,
            phone_encrypted bytea,
            appointed_on date NOT NULL,
            ended_on date,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_contacts PRIMARY KEY (contact_id)
        )"""
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_contacts_role_division_code_unit_officer_id "
        "ON contacts (role, division_code, unit, officer_id) WHERE ended_on IS NULL"
    )
    protect_writes_by_division("contacts")
    grant("registry", "contacts", api="SELECT, INSERT, UPDATE", worker="SELECT, INSERT")


def downgrade() -> None:
    op.execute("DROP TABLE contacts")
