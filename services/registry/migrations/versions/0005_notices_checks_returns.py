"""Public notices, standards, income checks, signs of hardship and return checks."""

from alembic import op

from shared.schema.access import grant, protect_by_division, protect_writes_by_division

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for order in (*_CREATED, *_INDEXES):
        op.execute(order)
    for table in ("notice_requests", "notices", "income_checks", "hardships", "return_checks"):
        protect_by_division(table)
    # A city's line holds in its counties: public, and written by the worker alone.
    protect_writes_by_division("standards")
    grant("registry", "notice_requests", api="SELECT, INSERT, UPDATE", worker=_READ)
    grant("registry", "return_checks", api="SELECT, INSERT, UPDATE", worker=_APPEND)
    # The api moves what others wrote along with its household, and changes nothing else of it.
    grant("registry", "notices", api=_READ, worker="SELECT, INSERT, UPDATE")
    grant("registry", "income_checks", api=_APPEND, worker=_READ)
    grant("registry", "hardships", api=_APPEND, worker=_APPEND)
    grant("registry", "standards", api="SELECT", worker="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    for table in (
        "return_checks",
        "hardships",
        "income_checks",
        "notices",
        "notice_requests",
        "standards",
    ):
        op.execute(f"DROP TABLE {table}")


_READ = "SELECT, UPDATE (division_code)"
_APPEND = "SELECT, INSERT, UPDATE (division_code)"

_STANDARDS = """
CREATE TABLE standards (
    standard_id uuid NOT NULL,
    key text COLLATE "C" NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    valid_from date NOT NULL,
    value numeric(14, 2) NOT NULL,
    document_number text COLLATE "C" NOT NULL,
    sample boolean NOT NULL,
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_standards PRIMARY KEY (standard_id)
)"""

_NOTICE_REQUESTS = """
CREATE TABLE notice_requests (
    notice_request_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    episode integer NOT NULL,
    category text COLLATE "C" NOT NULL,
    n integer NOT NULL,
    amount numeric(14, 2),
    applicant_person_id uuid,
    applicant_birth_date date,
    requested_on date NOT NULL,
    requested_by text COLLATE "C" NOT NULL,
    withdrawn_on date,
    withdrawn_by text COLLATE "C",
    withdrawn_reason text,
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_notice_requests PRIMARY KEY (notice_request_id),
    CONSTRAINT fk_notice_requests_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_NOTICES = """
CREATE TABLE notices (
    notice_id uuid NOT NULL,
    notice_request_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    posted_on date,
    last_day date,
    objections integer NOT NULL,
    outcome text COLLATE "C",
    refusal text COLLATE "C",
    closed_on date,
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_notices PRIMARY KEY (notice_id),
    CONSTRAINT uq_notices_notice_request_id UNIQUE (notice_request_id),
    CONSTRAINT fk_notices_notice_request_id FOREIGN KEY (notice_request_id)
        REFERENCES notice_requests (notice_request_id)
)"""

_INCOME_CHECKS = """
CREATE TABLE income_checks (
    check_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    episode integer NOT NULL,
    checked_on date NOT NULL,
    category text COLLATE "C" NOT NULL,
    n integer NOT NULL,
    income_wage numeric(14, 2) NOT NULL,
    income_business numeric(14, 2) NOT NULL,
    income_property numeric(14, 2) NOT NULL,
    income_transfer numeric(14, 2) NOT NULL,
    food_and_clothing boolean NOT NULL,
    note text NOT NULL,
    per_capita_month numeric(14, 2) NOT NULL,
    per_capita_year numeric(14, 2) NOT NULL,
    line numeric(14, 2) NOT NULL,
    standard_id uuid NOT NULL,
    document_number text COLLATE "C" NOT NULL,
    g4600_limit numeric(14, 2),
    parameters jsonb NOT NULL,
    passed boolean NOT NULL,
    reasons text[] COLLATE "C" NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_income_checks PRIMARY KEY (check_id),
    CONSTRAINT fk_income_checks_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_HARDSHIPS = """
CREATE TABLE hardships (
    source text COLLATE "C" NOT NULL,
    hardship_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    detected_on date NOT NULL,
    amount numeric(14, 2),
    note text NOT NULL,
    reported_by text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_hardships PRIMARY KEY (source, hardship_id),
    CONSTRAINT fk_hardships_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_RETURN_CHECKS = """
CREATE TABLE return_checks (
    return_check_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    hardship_id uuid NOT NULL,
    opened_on date NOT NULL,
    due_on date,
    due_provisional boolean NOT NULL,
    outcome text COLLATE "C",
    closed_on date,
    closed_by text COLLATE "C",
    visited_on date,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_return_checks PRIMARY KEY (return_check_id),
    CONSTRAINT fk_return_checks_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT fk_return_checks_source_hardship_id FOREIGN KEY (source, hardship_id)
        REFERENCES hardships (source, hardship_id)
)"""

_CREATED = (
    _STANDARDS,
    _NOTICE_REQUESTS,
    _NOTICES,
    _INCOME_CHECKS,
    _HARDSHIPS,
    _RETURN_CHECKS,
)
_INDEXES = (
    "CREATE INDEX ix_standards_key ON standards (key, division_code, valid_from)",
    "CREATE INDEX ix_notice_requests_household_id ON notice_requests (household_id)",
    "CREATE INDEX ix_notices_household_id ON notices (household_id)",
    """CREATE INDEX ix_income_checks_household_id
       ON income_checks (household_id, checked_on, check_id)""",
    "CREATE INDEX ix_hardships_household_id ON hardships (household_id, detected_on)",
    """CREATE UNIQUE INDEX uq_return_checks_source_hardship_id
       ON return_checks (source, hardship_id)""",
    "CREATE INDEX ix_return_checks_division_code ON return_checks (division_code, return_check_id)",
    "CREATE INDEX ix_return_checks_household_id ON return_checks (household_id)",
)
