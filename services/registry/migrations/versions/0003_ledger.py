"""The aid ledger and the guarantees of households, as other services report them."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(_AID_LEDGER)
    op.execute(_GUARANTEES)
    op.execute("CREATE INDEX ix_aid_ledger_household_id ON aid_ledger (household_id, granted_on)")
    op.execute("CREATE INDEX ix_guarantees_household_id ON guarantees (household_id)")
    for table in ("aid_ledger", "guarantees"):
        protect_by_division(table)
        # Only the worker writes them; the api moves them along with their household.
        grant("registry", table, api="SELECT, UPDATE (division_code)")


def downgrade() -> None:
    op.execute("DROP TABLE guarantees")
    op.execute("DROP TABLE aid_ledger")


_AID_LEDGER = """
CREATE TABLE aid_ledger (
    source text COLLATE "C" NOT NULL,
    assistance_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    person_ids uuid[] NOT NULL,
    programme text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    amount numeric(14, 2) NOT NULL,
    fund text COLLATE "C" NOT NULL,
    month date,
    granted_on date NOT NULL,
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_aid_ledger PRIMARY KEY (source, assistance_id),
    CONSTRAINT fk_aid_ledger_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_GUARANTEES = """
CREATE TABLE guarantees (
    source text COLLATE "C" NOT NULL,
    guarantee_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    met boolean NOT NULL,
    evidence_id text COLLATE "C" NOT NULL,
    since date NOT NULL,
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_guarantees PRIMARY KEY (source, guarantee_id),
    CONSTRAINT fk_guarantees_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""
