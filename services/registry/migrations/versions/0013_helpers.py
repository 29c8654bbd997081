"""Helpers and whom they are paired with; a helper's load counts wherever his households lie."""

from alembic import op

from shared.schema.access import grant, protect_by_division, protect_writes_by_division

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for order in (_HELPERS, _PAIRINGS, *_INDEXES):
        op.execute(order)
    protect_writes_by_division("helpers")
    protect_by_division("pairings")
    grant("registry", "helpers", api="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE")
    grant("registry", "pairings", api="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE")
    for name, arguments, definition in (
        ("hold_helper", "uuid", _HOLD),
        ("end_pairings_of", "uuid, date, timestamptz", _END),
    ):
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {name}({arguments}) FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}({arguments}) TO registry_api")


def downgrade() -> None:
    op.execute("DROP FUNCTION end_pairings_of(uuid, date, timestamptz)")
    op.execute("DROP FUNCTION hold_helper(uuid)")
    op.execute("DROP TABLE pairings")
    op.execute("DROP TABLE helpers")


_HELPERS = """
CREATE TABLE helpers (
    helper_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    name_encrypted bytea NOT NULL,
    phone_encrypted bytea,
    kind text COLLATE "C" NOT NULL,
    unit text NOT NULL,
    unit_uscc text COLLATE "C",
    started_on date NOT NULL,
    left_on date,
    registered_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_helpers PRIMARY KEY (helper_id)
)"""

_PAIRINGS = """
CREATE TABLE pairings (
    pairing_id uuid NOT NULL,
    household_id uuid NOT NULL,
    helper_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    lead boolean NOT NULL,
    flag text COLLATE "C",
    paired_on date NOT NULL,
    paired_by text COLLATE "C" NOT NULL,
    ended_on date,
    end_reason text NOT NULL,
    transferred boolean DEFAULT false NOT NULL,
    handover_due_on date,
    handed_over_on date,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_pairings PRIMARY KEY (pairing_id),
    CONSTRAINT fk_pairings_household_id_households FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT fk_pairings_helper_id_helpers FOREIGN KEY (helper_id)
        REFERENCES helpers (helper_id)
)"""

_INDEXES = (
    "CREATE UNIQUE INDEX uq_helpers_officer_id ON helpers (officer_id) WHERE left_on IS NULL",
    "CREATE INDEX ix_helpers_division_code ON helpers (division_code, helper_id)",
    """CREATE UNIQUE INDEX uq_pairings_lead ON pairings (household_id)
       WHERE lead AND ended_on IS NULL""",
    """CREATE UNIQUE INDEX uq_pairings_household_id_helper_id
       ON pairings (household_id, helper_id) WHERE ended_on IS NULL""",
    "CREATE INDEX ix_pairings_helper_id ON pairings (helper_id) WHERE ended_on IS NULL",
    "CREATE INDEX ix_pairings_division_code ON pairings (division_code, pairing_id)",
)

# Whoever pairs does not see what a county's helper has in other townships, nor may he lock him.
_HOLD = """
CREATE FUNCTION hold_helper(which uuid) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    SELECT helper_id FROM public.helpers WHERE helper_id = which FOR UPDATE;
    SELECT count(*) FROM public.pairings WHERE helper_id = which AND ended_on IS NULL
$$
"""

_END = """
CREATE FUNCTION end_pairings_of(which uuid, on_day date, at timestamptz) RETURNS SETOF uuid
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    WITH ended AS (
        UPDATE public.pairings
        SET ended_on = greatest(on_day, paired_on), end_reason = 'helper_left', recorded_at = at
        WHERE helper_id = which AND ended_on IS NULL RETURNING pairing_id, household_id),
    closed AS (
        UPDATE public.tasks SET closed_on = on_day, recorded_at = at FROM ended
        WHERE tasks.kind = 'handover' AND tasks.subject_id = ended.pairing_id
            AND tasks.closed_on IS NULL)
    SELECT DISTINCT household_id FROM ended
$$
"""
