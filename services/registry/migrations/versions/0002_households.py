"""Households, persons and their archive, under forced row-level security."""

from alembic import op

from shared.schema.access import COVERED, grant, protect_by_division

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(_PERSONS)
    op.execute(_HOUSEHOLDS)
    op.execute(_MEMBERS)
    op.execute(_EPISODES)
    op.execute(_ARCHIVE)
    op.execute(_DECISIONS)
    op.execute(_SERIALS)
    op.execute(_TRANSFERS)
    for index in _INDEXES:
        op.execute(index)
    for table in ("persons", "households", "members", "episodes", "household_serials"):
        protect_by_division(table)
        grant("registry", table, api="SELECT, INSERT, UPDATE")
    for table in ("household_versions", "decisions"):
        protect_by_division(table)
        # Append-only; but a household that moves takes its papers along.
        grant("registry", table, api=_APPEND, worker=_APPEND)
    _protect_transfers()
    _look_everywhere()


def downgrade() -> None:
    op.execute("DROP FUNCTION find_person(bytea[])")
    for table in _TABLES:
        op.execute(f"DROP TABLE {table}")


_APPEND = "SELECT, INSERT, UPDATE (division_code)"

_TABLES = (
    "transfer_tasks",
    "household_serials",
    "decisions",
    "household_versions",
    "episodes",
    "members",
    "households",
    "persons",
)

_PERSONS = """
CREATE TABLE persons (
    person_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    id_number_encrypted bytea,
    id_number_hash bytea,
    name text COLLATE "C" NOT NULL,
    sex text COLLATE "C" NOT NULL,
    birth_date date NOT NULL,
    phone_encrypted bytea,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_persons PRIMARY KEY (person_id),
    CONSTRAINT uq_persons_id_number_hash UNIQUE (id_number_hash)
)"""

_HOUSEHOLDS = """
CREATE TABLE households (
    household_id uuid NOT NULL,
    household_no text COLLATE "C" NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    category text COLLATE "C",
    tags text[] COLLATE "C" NOT NULL,
    causes text[] COLLATE "C" NOT NULL,
    rule_set text COLLATE "C",
    keep_policy_until date,
    house_grade text COLLATE "C",
    income_wage numeric(14, 2) NOT NULL,
    income_business numeric(14, 2) NOT NULL,
    income_property numeric(14, 2) NOT NULL,
    income_transfer numeric(14, 2) NOT NULL,
    rigid_medical numeric(14, 2) NOT NULL,
    rigid_education numeric(14, 2) NOT NULL,
    rigid_disability numeric(14, 2) NOT NULL,
    rigid_other numeric(14, 2) NOT NULL,
    assets_financial numeric(14, 2) NOT NULL,
    vehicles integer NOT NULL,
    head_person_id uuid NOT NULL,
    n integer NOT NULL,
    episode integer NOT NULL,
    effective_from date NOT NULL,
    origin text COLLATE "C" NOT NULL,
    opened_on date NOT NULL,
    version bigint NOT NULL,
    revision bigint NOT NULL,
    phone_encrypted bytea,
    account_encrypted bytea,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_households PRIMARY KEY (household_id),
    CONSTRAINT uq_households_household_no UNIQUE (household_no),
    CONSTRAINT fk_households_head_person_id FOREIGN KEY (head_person_id)
        REFERENCES persons (person_id)
)"""

_MEMBERS = """
CREATE TABLE members (
    household_id uuid NOT NULL,
    person_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    relation text COLLATE "C" NOT NULL,
    health text COLLATE "C",
    disability_kind text COLLATE "C",
    disability_grade smallint,
    labor_ability text COLLATE "C",
    willing_to_work boolean,
    education text COLLATE "C",
    school_stage text COLLATE "C",
    work text COLLATE "C",
    insured boolean,
    left_behind boolean,
    counted boolean NOT NULL,
    left_on date,
    left_reason text COLLATE "C",
    CONSTRAINT pk_members PRIMARY KEY (household_id, person_id),
    CONSTRAINT fk_members_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT fk_members_person_id FOREIGN KEY (person_id) REFERENCES persons (person_id)
)"""

_EPISODES = """
CREATE TABLE episodes (
    household_id uuid NOT NULL,
    number integer NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    origin text COLLATE "C" NOT NULL,
    identified_on date NOT NULL,
    lifted_on date,
    exited_on date,
    decided_by text NOT NULL,
    missing_evidence text[] COLLATE "C" NOT NULL,
    CONSTRAINT pk_episodes PRIMARY KEY (household_id, number),
    CONSTRAINT fk_episodes_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_ARCHIVE = """
CREATE TABLE household_versions (
    household_id uuid NOT NULL,
    valid_from date NOT NULL,
    revision bigint NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    facts jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_household_versions PRIMARY KEY (household_id, valid_from, revision),
    CONSTRAINT fk_household_versions_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_DECISIONS = """
CREATE TABLE decisions (
    decision_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    episode integer NOT NULL,
    kind text COLLATE "C" NOT NULL,
    decided_on date NOT NULL,
    officer_id text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    rule_set text COLLATE "C",
    category text COLLATE "C",
    checks jsonb NOT NULL,
    parameters jsonb NOT NULL,
    facts jsonb NOT NULL,
    revision bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_decisions PRIMARY KEY (decision_id),
    CONSTRAINT fk_decisions_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""

_SERIALS = """
CREATE TABLE household_serials (
    division_code text COLLATE "C" NOT NULL,
    last integer NOT NULL,
    CONSTRAINT pk_household_serials PRIMARY KEY (division_code)
)"""

_TRANSFERS = """
CREATE TABLE transfer_tasks (
    task_id uuid NOT NULL,
    person_id uuid NOT NULL,
    from_county text COLLATE "C" NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    CONSTRAINT pk_transfer_tasks PRIMARY KEY (task_id)
)"""

_INDEXES = (
    "CREATE INDEX ix_persons_name ON persons (name, person_id)",
    "CREATE INDEX ix_households_division_code ON households (division_code, household_id)",
    "CREATE UNIQUE INDEX uq_members_standing ON members (person_id) WHERE left_on IS NULL",
    "CREATE INDEX ix_decisions_household_id ON decisions (household_id, decided_on)",
    """CREATE UNIQUE INDEX uq_transfer_tasks_person_id_division_code
       ON transfer_tasks (person_id, division_code)""",
)


def _protect_transfers() -> None:
    """Seen by the county that asks and by the one that holds the person; written by the first."""
    asking, holding = COVERED.format(column="division_code"), COVERED.format(column="from_county")
    op.execute("ALTER TABLE transfer_tasks ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE transfer_tasks FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY by_division ON transfer_tasks USING ({asking} OR {holding}) "
        f"WITH CHECK ({asking})"
    )
    grant("registry", "transfer_tasks")


def _look_everywhere() -> None:
    """The one look past the divisions: whether a person is registered, and in which county."""
    op.execute(
        """
        CREATE FUNCTION find_person(hashes bytea[])
        RETURNS TABLE (hash bytea, person_id uuid, county text)
        LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, public, pg_temp
        SET bangfu.divisions = ','
        AS $$
            SELECT persons.id_number_hash, persons.person_id, left(persons.division_code, 6)
            FROM public.persons WHERE persons.id_number_hash = ANY (hashes)
        $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION find_person(bytea[]) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION find_person(bytea[]) TO registry_api, registry_worker")
