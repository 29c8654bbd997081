"""Verification: authorisations, requests with a row a person and source, doubts, reports (C20)."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = (
    "obligors",
    "authorizations",
    "verifications",
    "verification_items",
    "verification_doubts",
    "verification_reports",
    "verification_serials",
)


def upgrade() -> None:
    for order in (*_CREATED, *_INDEXES):
        op.execute(order)
    for table in TABLES:
        protect_by_division(table)
    grant("registry", "obligors", api=_CHANGE, worker=_READ)
    grant("registry", "authorizations", api=_CHANGE, worker=_READ)
    # Late files and withdrawn questions come in through the api, answers through the worker.
    for table in ("verifications", "verification_items", "verification_doubts"):
        grant("registry", table, api=_CHANGE, worker=_CHANGE)
    grant("registry", "verification_reports", api=_CHANGE, worker=_READ)
    grant("registry", "verification_serials", api=_CHANGE, worker="SELECT")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")


_READ = "SELECT, UPDATE (division_code)"
_CHANGE = "SELECT, INSERT, UPDATE"

_OBLIGORS = """
CREATE TABLE obligors (
    obligor_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    supports_person_id uuid NOT NULL,
    relation text COLLATE "C" NOT NULL,
    name_encrypted bytea NOT NULL,
    id_number_encrypted bytea NOT NULL,
    id_number_hash bytea NOT NULL,
    ended_on date,
    ended_reason text NOT NULL,
    recorded_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_obligors PRIMARY KEY (obligor_id),
    CONSTRAINT fk_obligors_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT fk_obligors_supports_person_id FOREIGN KEY (supports_person_id)
        REFERENCES persons (person_id)
)"""

_AUTHORIZATIONS = """
CREATE TABLE authorizations (
    authorization_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    subject_kind text COLLATE "C" NOT NULL,
    subject_id uuid NOT NULL,
    version integer NOT NULL,
    sources text[] COLLATE "C" NOT NULL,
    purpose text NOT NULL,
    signed_on date NOT NULL,
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    document text NOT NULL,
    guardian_person_id uuid,
    guardian_name_encrypted bytea,
    revoked_on date,
    revoked_by text COLLATE "C",
    revoked_reason text NOT NULL,
    recorded_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_authorizations PRIMARY KEY (authorization_id),
    CONSTRAINT fk_authorizations_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_VERIFICATIONS = """
CREATE TABLE verifications (
    verification_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    period date,
    aid_type text COLLATE "C" NOT NULL,
    purpose text NOT NULL,
    window_from date NOT NULL,
    window_to date NOT NULL,
    revision bigint NOT NULL,
    requested_on date NOT NULL,
    requested_at timestamptz NOT NULL,
    requested_by text COLLATE "C" NOT NULL,
    stopped_on date,
    CONSTRAINT pk_verifications PRIMARY KEY (verification_id),
    CONSTRAINT fk_verifications_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

# Millions of rows a half-year: found by their household, which moves with them, or by their source.
_ITEMS = """
CREATE TABLE verification_items (
    household_id uuid NOT NULL,
    verification_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    source text COLLATE "C" NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    subject_kind text COLLATE "C" NOT NULL,
    authorization_id uuid NOT NULL,
    state text COLLATE "C" NOT NULL,
    failure text COLLATE "C",
    attempts smallint NOT NULL,
    due_at timestamptz,
    sent_at timestamptz,
    answered_at timestamptz,
    answer_encrypted bytea,
    CONSTRAINT pk_verification_items PRIMARY KEY (
        household_id, verification_id, subject_id, source
    ),
    CONSTRAINT fk_verification_items_verification_id FOREIGN KEY (verification_id)
        REFERENCES verifications (verification_id),
    CONSTRAINT fk_verification_items_authorization_id FOREIGN KEY (authorization_id)
        REFERENCES authorizations (authorization_id)
)"""

_DOUBTS = """
CREATE TABLE verification_doubts (
    doubt_id uuid NOT NULL,
    verification_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    subject_id uuid NOT NULL,
    source text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    severity text COLLATE "C" NOT NULL,
    detail jsonb NOT NULL,
    opened_on date NOT NULL,
    due_on date,
    due_provisional boolean NOT NULL,
    outcome text COLLATE "C",
    closed_on date,
    closed_by text COLLATE "C",
    words text NOT NULL,
    proof text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_verification_doubts PRIMARY KEY (doubt_id),
    CONSTRAINT fk_verification_doubts_verification_id FOREIGN KEY (verification_id)
        REFERENCES verifications (verification_id),
    CONSTRAINT fk_verification_doubts_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_REPORTS = """
CREATE TABLE verification_reports (
    report_id uuid NOT NULL,
    report_number text COLLATE "C" NOT NULL,
    verification_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    made_on date NOT NULL,
    made_at timestamptz NOT NULL,
    made_by text COLLATE "C" NOT NULL,
    valid_until date NOT NULL,
    conclusion text COLLATE "C" NOT NULL,
    missing_sources text[] COLLATE "C" NOT NULL,
    missing_reason text NOT NULL,
    content_encrypted bytea NOT NULL,
    print_count integer NOT NULL,
    CONSTRAINT pk_verification_reports PRIMARY KEY (report_id),
    CONSTRAINT uq_verification_reports_report_number UNIQUE (report_number),
    CONSTRAINT fk_verification_reports_verification_id FOREIGN KEY (verification_id)
        REFERENCES verifications (verification_id),
    CONSTRAINT fk_verification_reports_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_SERIALS = """
CREATE TABLE verification_serials (
    division_code text COLLATE "C" NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL,
    CONSTRAINT pk_verification_serials PRIMARY KEY (division_code, year)
)"""

_CREATED = (
    _OBLIGORS,
    _AUTHORIZATIONS,
    _VERIFICATIONS,
    _ITEMS,
    _DOUBTS,
    _REPORTS,
    _SERIALS,
)
_INDEXES = (
    """CREATE UNIQUE INDEX uq_obligors_household_id_id_number_hash
       ON obligors (household_id, id_number_hash) WHERE ended_on IS NULL""",
    """CREATE UNIQUE INDEX uq_authorizations_household_id_subject_id_version
       ON authorizations (household_id, subject_id, version)""",
    "CREATE INDEX ix_verifications_household_id ON verifications (household_id, verification_id)",
    """CREATE UNIQUE INDEX uq_verifications_kind_period_household_id
       ON verifications (kind, period, household_id) WHERE period IS NOT NULL""",
    """CREATE INDEX ix_verification_items_source
       ON verification_items (source, due_at) WHERE due_at IS NOT NULL""",
    """CREATE UNIQUE INDEX uq_verification_doubts_verification_id_subject_id_source_kind
       ON verification_doubts (verification_id, subject_id, source, kind)""",
    "CREATE INDEX ix_verification_doubts_household_id ON verification_doubts (household_id)",
    """CREATE INDEX ix_verification_reports_household_id
       ON verification_reports (household_id, made_at)""",
)
