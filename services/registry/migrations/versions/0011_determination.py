"""Applications from the first paper to the decision, and the register of staff relatives."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for order in (*_CREATED, *_INDEXES):
        op.execute(order)
    for table in _TABLES:
        protect_by_division(table)
    grant("registry", "applications", api=_CHANGE, worker="SELECT, UPDATE")
    # What was found and decided is not rewritten: only its place moves, and a decision's delivery.
    for table in ("papers", "declarations", "surveys", "appraisals", "opinions"):
        grant("registry", f"application_{table}", api=_APPEND, worker=_READ)
    grant("registry", "survey_signatures", api=_APPEND, worker=_READ)
    grant("registry", "application_decisions", api=f"{_APPEND}, {_DELIVERY}", worker=_READ)
    grant("registry", "staff_relatives", api=_CHANGE, worker=_READ)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table}")


_READ = "SELECT, UPDATE (division_code)"
_APPEND = "SELECT, INSERT, UPDATE (division_code)"
_DELIVERY = "UPDATE (delivered_on, delivery, delivered_by)"
_CHANGE = "SELECT, INSERT, UPDATE"

_APPLICATIONS = """
CREATE TABLE applications (
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    round integer NOT NULL,
    applicant_person_id uuid,
    applied_on date NOT NULL,
    papers_told jsonb NOT NULL,
    accepted_on date,
    staff_relative boolean NOT NULL,
    sample_rate numeric(5, 4),
    sampled boolean,
    notice_request_id uuid,
    due_on date,
    due_provisional boolean NOT NULL,
    ended_on date,
    withdrawn_reason text,
    opened_by text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_applications PRIMARY KEY (application_id),
    CONSTRAINT fk_applications_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT fk_applications_notice_request_id FOREIGN KEY (notice_request_id)
        REFERENCES notice_requests (notice_request_id)
)"""

_PAPERS = """
CREATE TABLE application_papers (
    paper_id uuid NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    person_id uuid,
    reference text NOT NULL,
    received_on date NOT NULL,
    received_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_application_papers PRIMARY KEY (paper_id),
    CONSTRAINT fk_application_papers_application_id FOREIGN KEY (application_id)
        REFERENCES applications (application_id)
)"""

_DECLARATIONS = """
CREATE TABLE application_declarations (
    declaration_id uuid NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    round integer NOT NULL,
    declared_on date NOT NULL,
    declaration jsonb NOT NULL,
    entered_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_application_declarations PRIMARY KEY (declaration_id),
    CONSTRAINT fk_application_declarations_application_id FOREIGN KEY (application_id)
        REFERENCES applications (application_id)
)"""

_SURVEYS = """
CREATE TABLE application_surveys (
    survey_id uuid NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    round integer NOT NULL,
    kind text COLLATE "C" NOT NULL,
    surveyed_on date NOT NULL,
    neighbours_heard integer NOT NULL,
    findings text NOT NULL,
    entered_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_application_surveys PRIMARY KEY (survey_id),
    CONSTRAINT fk_application_surveys_application_id FOREIGN KEY (application_id)
        REFERENCES applications (application_id)
)"""

_SIGNATURES = """
CREATE TABLE survey_signatures (
    survey_id uuid NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_survey_signatures PRIMARY KEY (survey_id, officer_id),
    CONSTRAINT fk_survey_signatures_survey_id FOREIGN KEY (survey_id)
        REFERENCES application_surveys (survey_id)
)"""

_APPRAISALS = """
CREATE TABLE application_appraisals (
    appraisal_id uuid NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    round integer NOT NULL,
    held_on date NOT NULL,
    participants integer NOT NULL,
    villagers integer NOT NULL,
    in_favour integer NOT NULL,
    minutes text NOT NULL,
    entered_by text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_application_appraisals PRIMARY KEY (appraisal_id),
    CONSTRAINT fk_application_appraisals_application_id FOREIGN KEY (application_id)
        REFERENCES applications (application_id)
)"""

_OPINIONS = """
CREATE TABLE application_opinions (
    opinion_id uuid NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    round integer NOT NULL,
    given_on date NOT NULL,
    in_favour boolean NOT NULL,
    category text COLLATE "C" NOT NULL,
    amount numeric(14, 2),
    words text NOT NULL,
    report_id uuid,
    missing_sources jsonb NOT NULL,
    without_report text NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_application_opinions PRIMARY KEY (opinion_id),
    CONSTRAINT fk_application_opinions_application_id FOREIGN KEY (application_id)
        REFERENCES applications (application_id)
)"""

_DECISIONS = """
CREATE TABLE application_decisions (
    decision_id uuid NOT NULL,
    application_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    round integer NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    amount numeric(14, 2),
    decided_on date NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    bureau text COLLATE "C",
    reason text NOT NULL,
    failed_tests jsonb NOT NULL,
    rule_set text COLLATE "C" NOT NULL,
    finding jsonb,
    report_id uuid,
    corrects uuid,
    error_found text,
    delivered_on date,
    delivery text COLLATE "C",
    delivered_by text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_application_decisions PRIMARY KEY (decision_id),
    CONSTRAINT fk_application_decisions_application_id FOREIGN KEY (application_id)
        REFERENCES applications (application_id),
    CONSTRAINT fk_application_decisions_corrects FOREIGN KEY (corrects)
        REFERENCES application_decisions (decision_id)
)"""

_RELATIVES = """
CREATE TABLE staff_relatives (
    staff_relative_id uuid NOT NULL,
    person_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    position text NOT NULL,
    relation text NOT NULL,
    staff_officer_id text COLLATE "C",
    registered_on date NOT NULL,
    registered_by text COLLATE "C" NOT NULL,
    ended_on date,
    ended_by text COLLATE "C",
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_staff_relatives PRIMARY KEY (staff_relative_id),
    CONSTRAINT fk_staff_relatives_person_id FOREIGN KEY (person_id)
        REFERENCES persons (person_id)
)"""

_TABLES = (
    "applications",
    "application_papers",
    "application_declarations",
    "application_surveys",
    "survey_signatures",
    "application_appraisals",
    "application_opinions",
    "application_decisions",
    "staff_relatives",
)
_CREATED = (
    _APPLICATIONS,
    _PAPERS,
    _DECLARATIONS,
    _SURVEYS,
    _SIGNATURES,
    _APPRAISALS,
    _OPINIONS,
    _DECISIONS,
    _RELATIVES,
)
_INDEXES = (
    """CREATE UNIQUE INDEX uq_applications_open ON applications (household_id)
       WHERE ended_on IS NULL""",
    "CREATE INDEX ix_applications_household_id ON applications (household_id)",
    "CREATE INDEX ix_applications_division_code ON applications (division_code, application_id)",
    "CREATE INDEX ix_applications_notice_request_id ON applications (notice_request_id)",
    *(
        f"CREATE INDEX ix_{table}_application_id ON {table} (application_id)"
        for table in _TABLES[1:-1]
    ),
    "CREATE INDEX ix_staff_relatives_person_id ON staff_relatives (person_id)",
    """CREATE INDEX ix_staff_relatives_division_code
       ON staff_relatives (division_code, staff_relative_id)""",
)
