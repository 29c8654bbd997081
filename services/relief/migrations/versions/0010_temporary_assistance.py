"""Applications for temporary assistance, what became of them, and the townships' reserve funds."""

from alembic import op

from shared.schema import access

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_APPLICATIONS = """
CREATE TABLE temporary_applications (
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    cause text COLLATE "C" NOT NULL,
    person_ids uuid[] NOT NULL,
    applicant_person_id uuid NOT NULL,
    applicant_birth_date date NOT NULL,
    happened_on date NOT NULL,
    applied_on date NOT NULL,
    words_encrypted bytea NOT NULL,
    papers jsonb NOT NULL,
    known boolean NOT NULL,
    recipient boolean NOT NULL,
    state text COLLATE "C" NOT NULL,
    entered_by text COLLATE "C" NOT NULL,
    papers_due_on date,
    papers_due_provisional boolean NOT NULL,
    papers_on date,
    papers_overdue_since date,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_temporary_applications PRIMARY KEY (application_id),
    CONSTRAINT ck_temporary_applications_somebody_helped CHECK (cardinality(person_ids) > 0)
)"""

_STEPS = """
CREATE TABLE temporary_steps (
    step_id uuid NOT NULL,
    application_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    step text COLLATE "C" NOT NULL,
    officer_id text COLLATE "C",
    on_day date NOT NULL,
    words_encrypted bytea,
    detail jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_temporary_steps PRIMARY KEY (step_id),
    CONSTRAINT fk_temporary_steps_application_id FOREIGN KEY (application_id)
        REFERENCES temporary_applications (application_id)
)"""

_NOTICES = """
CREATE TABLE temporary_notices (
    notice_request_id uuid NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    factor numeric(6, 2) NOT NULL,
    amount numeric(14, 2) NOT NULL,
    requested_on date NOT NULL,
    withdrawn_on date,
    version bigint NOT NULL,
    notice_id uuid,
    notice_version bigint NOT NULL,
    status text COLLATE "C",
    posted_on date,
    last_day date,
    objections integer,
    outcome text COLLATE "C",
    refusal text COLLATE "C",
    closed_on date,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_temporary_notices PRIMARY KEY (notice_request_id),
    CONSTRAINT fk_temporary_notices_application_id FOREIGN KEY (application_id)
        REFERENCES temporary_applications (application_id)
)"""

_DECISIONS = """
CREATE TABLE temporary_decisions (
    decision_id uuid NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    cause text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    level text COLLATE "C" NOT NULL,
    factor numeric(6, 2),
    amount numeric(14, 2) NOT NULL,
    fund text COLLATE "C",
    decided_on date NOT NULL,
    decided_by text COLLATE "C" NOT NULL,
    reason_encrypted bytea,
    explanation jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_temporary_decisions PRIMARY KEY (decision_id),
    CONSTRAINT uq_temporary_decisions_once UNIQUE (application_id),
    CONSTRAINT ck_temporary_decisions_approved_with_amount
        CHECK ((outcome = 'approved') = (amount > 0)),
    CONSTRAINT fk_temporary_decisions_application_id FOREIGN KEY (application_id)
        REFERENCES temporary_applications (application_id)
)"""

_STAGES = """
CREATE TABLE temporary_stages (
    stage_id uuid NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    position integer NOT NULL,
    form text COLLATE "C" NOT NULL,
    amount numeric(14, 2) NOT NULL,
    fund text COLLATE "C" NOT NULL,
    words_encrypted bytea,
    due_on date NOT NULL,
    status text COLLATE "C" NOT NULL,
    approved_on date NOT NULL,
    approved_by text COLLATE "C" NOT NULL,
    paid_on date,
    paid_by text COLLATE "C",
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_temporary_stages PRIMARY KEY (stage_id),
    CONSTRAINT uq_temporary_stages_position UNIQUE (application_id, position),
    CONSTRAINT ck_temporary_stages_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_temporary_stages_two_people CHECK (paid_by <> approved_by),
    CONSTRAINT ck_temporary_stages_paid_and_signed
        CHECK ((paid_on IS NULL) = (paid_by IS NULL)),
    CONSTRAINT fk_temporary_stages_application_id FOREIGN KEY (application_id)
        REFERENCES temporary_applications (application_id)
)"""

_REFERRALS = """
CREATE TABLE temporary_referrals (
    referral_id uuid NOT NULL,
    application_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    referred_to text COLLATE "C" NOT NULL,
    referred_on date NOT NULL,
    referred_by text COLLATE "C" NOT NULL,
    words_encrypted bytea NOT NULL,
    outcome text COLLATE "C",
    ended_on date,
    ended_by text COLLATE "C",
    outcome_words_encrypted bytea,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_temporary_referrals PRIMARY KEY (referral_id),
    CONSTRAINT ck_temporary_referrals_ended_with_outcome
        CHECK ((outcome IS NULL) = (ended_on IS NULL)),
    CONSTRAINT fk_temporary_referrals_application_id FOREIGN KEY (application_id)
        REFERENCES temporary_applications (application_id)
)"""

_PETTY_FUNDS = """
CREATE TABLE petty_funds (
    division_code text COLLATE "C" NOT NULL,
    allotted numeric(14, 2) NOT NULL,
    paid numeric(14, 2) NOT NULL,
    returned numeric(14, 2) NOT NULL,
    accounted numeric(14, 2) NOT NULL,
    topped_up numeric(14, 2) NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_petty_funds PRIMARY KEY (division_code),
    CONSTRAINT ck_petty_funds_never_below_zero
        CHECK (allotted + topped_up - paid + returned >= 0)
)"""

_PETTY_FUND_ENTRIES = """
CREATE TABLE petty_fund_entries (
    entry_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    amount numeric(14, 2) NOT NULL,
    balance_after numeric(14, 2) NOT NULL,
    application_id uuid,
    document_number text,
    entered_on date NOT NULL,
    entered_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_petty_fund_entries PRIMARY KEY (entry_id),
    CONSTRAINT ck_petty_fund_entries_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_petty_fund_entries_never_below_zero CHECK (balance_after >= 0),
    CONSTRAINT fk_petty_fund_entries_division_code FOREIGN KEY (division_code)
        REFERENCES petty_funds (division_code)
)"""

_INDEXES = (
    """CREATE INDEX ix_temporary_applications_division
       ON temporary_applications (division_code, application_id)""",
    """CREATE INDEX ix_temporary_applications_household
       ON temporary_applications (household_id)""",
    """CREATE INDEX ix_temporary_applications_papers
       ON temporary_applications (papers_due_on)
       WHERE papers_due_on IS NOT NULL AND papers_on IS NULL""",
    "CREATE INDEX ix_temporary_steps_application ON temporary_steps (application_id, step_id)",
    "CREATE INDEX ix_temporary_notices_application ON temporary_notices (application_id)",
    """CREATE INDEX ix_temporary_decisions_household
       ON temporary_decisions (household_id, cause)""",
    "CREATE INDEX ix_temporary_stages_division ON temporary_stages (division_code)",
    "CREATE INDEX ix_temporary_referrals_application ON temporary_referrals (application_id)",
    "CREATE INDEX ix_petty_fund_entries_fund ON petty_fund_entries (division_code, entry_id)",
)

# How often a household was helped counts wherever it lived; whoever decides waits for his turn, so
# that of two at once the second sees the first.
_GIVEN = """
CREATE FUNCTION temporary_assistance_given(which uuid, why text, in_year integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    SELECT pg_advisory_xact_lock(hashtextextended(which::text, 0));
    SELECT count(*) FROM public.temporary_decisions AS decision
    WHERE household_id = which AND cause = why AND outcome = 'approved'
        AND extract(year FROM decided_on) = in_year
        AND EXISTS (SELECT FROM public.temporary_stages AS stage
            WHERE stage.application_id = decision.application_id AND status <> 'reversed')
$$
"""

_TABLES = (
    ("temporary_applications", _APPLICATIONS),
    ("temporary_steps", _STEPS),
    ("temporary_notices", _NOTICES),
    ("temporary_decisions", _DECISIONS),
    ("temporary_stages", _STAGES),
    ("temporary_referrals", _REFERRALS),
    ("petty_funds", _PETTY_FUNDS),
    ("petty_fund_entries", _PETTY_FUND_ENTRIES),
)
_CHANGED_BY_API = {
    "temporary_applications": (
        "state, papers, papers_due_on, papers_due_provisional, papers_on, recorded_at"
    ),
    "temporary_notices": "withdrawn_on, version, recorded_at",
    "temporary_stages": "status, paid_on, paid_by, version, recorded_at",
    "temporary_referrals": "outcome, ended_on, ended_by, outcome_words_encrypted, recorded_at",
    "petty_funds": "allotted, paid, returned, accounted, topped_up, recorded_at",
}


def upgrade() -> None:
    for table, order in _TABLES:
        op.execute(order)
        # Money and decisions are the officers'; the worker keeps notices and notes what is overdue.
        access.grant("relief", table, worker="SELECT")
        access.protect_by_division(table)
    for order in (*_INDEXES, _GIVEN):
        op.execute(order)
    for table, columns in _CHANGED_BY_API.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO relief_api")
    op.execute("GRANT UPDATE ON temporary_notices, temporary_applications TO relief_worker")
    op.execute("GRANT INSERT ON temporary_steps TO relief_worker")
    op.execute(
        "REVOKE EXECUTE ON FUNCTION temporary_assistance_given(uuid, text, integer) FROM PUBLIC"
    )
    op.execute(
        "GRANT EXECUTE ON FUNCTION temporary_assistance_given(uuid, text, integer) TO relief_api"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION temporary_assistance_given(uuid, text, integer)")
    for table, _ in reversed(_TABLES):
        op.drop_table(table)
