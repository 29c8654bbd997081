"""Yearly incomes that fell, each asked about once."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for order in (_FALLS, *_INDEXES):
        op.execute(order)
    protect_by_division("income_falls")
    grant("registry", "income_falls", api="SELECT, UPDATE", worker="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.execute("DROP TABLE income_falls")


_FALLS = """
CREATE TABLE income_falls (
    income_fall_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    year integer NOT NULL,
    before numeric(14, 2) NOT NULL,
    now numeric(14, 2) NOT NULL,
    percent numeric(14, 4) NOT NULL,
    opened_on date NOT NULL,
    outcome text COLLATE "C",
    settled_on date,
    settled_by text COLLATE "C",
    reason_encrypted bytea,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_income_falls PRIMARY KEY (income_fall_id),
    CONSTRAINT fk_income_falls_household_id_households FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_INDEXES = (
    "CREATE UNIQUE INDEX uq_income_falls_household_id_year ON income_falls (household_id, year)",
    "CREATE INDEX ix_income_falls_division_code ON income_falls (division_code, income_fall_id)",
)
