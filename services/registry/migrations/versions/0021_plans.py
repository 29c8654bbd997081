"""One-household plans, their measures, and what a year of them came to."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for order in (_PLANS, _MEASURES, _RESULTS, *_INDEXES):
        op.execute(order)
    for table in ("plans", "plan_measures", "plan_results"):
        protect_by_division(table)
    every = "SELECT, INSERT, UPDATE"
    grant("registry", "plans", api=every, worker="SELECT, UPDATE")
    grant("registry", "plan_measures", api=f"{every}, DELETE", worker="SELECT, UPDATE")
    moved = "SELECT, INSERT, UPDATE (division_code)"
    grant("registry", "plan_results", api=moved, worker="SELECT, UPDATE (division_code)")


def downgrade() -> None:
    for table in ("plan_results", "plan_measures", "plans"):
        op.execute(f"DROP TABLE {table}")


_PLANS = """
CREATE TABLE plans (
    plan_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    state text COLLATE "C" NOT NULL,
    category text COLLATE "C",
    causes text[] COLLATE "C" NOT NULL,
    target_income numeric(14, 2) NOT NULL,
    arable_mu numeric(10, 2) NOT NULL,
    forest_mu numeric(10, 2) NOT NULL,
    words_encrypted bytea NOT NULL,
    drafted_on date NOT NULL,
    drafted_by text COLLATE "C" NOT NULL,
    agreed_on date,
    lead_signed_on date,
    lead_signed_by text COLLATE "C",
    approved_on date,
    approved_by text COLLATE "C",
    ended_on date,
    revision integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_plans PRIMARY KEY (plan_id),
    CONSTRAINT fk_plans_household_id_households FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_MEASURES = """
CREATE TABLE plan_measures (
    measure_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    cause text COLLATE "C" NOT NULL,
    bureau text COLLATE "C" NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    budget numeric(14, 2) NOT NULL,
    fund text COLLATE "C" NOT NULL,
    begins_on date NOT NULL,
    due_on date NOT NULL,
    state text COLLATE "C" NOT NULL,
    ended_on date,
    ended_by text COLLATE "C",
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_plan_measures PRIMARY KEY (measure_id),
    CONSTRAINT fk_plan_measures_plan_id_plans FOREIGN KEY (plan_id) REFERENCES plans (plan_id)
)"""

_RESULTS = """
CREATE TABLE plan_results (
    household_id uuid NOT NULL,
    year integer NOT NULL,
    plan_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    income numeric(14, 2) NOT NULL,
    words_encrypted bytea NOT NULL,
    entered_on date NOT NULL,
    entered_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_plan_results PRIMARY KEY (household_id, year),
    CONSTRAINT fk_plan_results_household_id_households FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT fk_plan_results_plan_id_plans FOREIGN KEY (plan_id) REFERENCES plans (plan_id)
)"""

_INDEXES = (
    "CREATE UNIQUE INDEX uq_plans_household_id_version ON plans (household_id, version)",
    "CREATE UNIQUE INDEX uq_plans_in_force ON plans (household_id) WHERE state = 'in_force'",
    "CREATE UNIQUE INDEX uq_plans_draft ON plans (household_id) WHERE state = 'draft'",
    "CREATE INDEX ix_plans_division_code ON plans (division_code, plan_id)",
    "CREATE INDEX ix_plan_measures_plan_id ON plan_measures (plan_id)",
    "CREATE INDEX ix_plan_measures_household_id ON plan_measures (household_id)",
)
