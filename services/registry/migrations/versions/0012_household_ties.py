"""Moves between counties that are agreed on and carried out."""

from alembic import op

from shared.schema.access import COVERED, grant, protect_by_division

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _transfers()
    _free_from()
    _aliases()
    _duplicates()
    op.execute(_SPLITS)
    op.execute(_MERGERS)
    op.execute(_SOURCE_CONFLICTS)
    op.execute(
        "CREATE UNIQUE INDEX uq_source_conflicts_open ON source_conflicts (household_id, bureau) "
        "WHERE outcome IS NULL"
    )
    op.execute(
        "CREATE INDEX ix_source_conflicts_division_code "
        "ON source_conflicts (division_code, conflict_id)"
    )
    protect_by_division("source_conflicts")
    grant("registry", "source_conflicts", api="SELECT, INSERT, UPDATE")
    for table in ("splits", "mergers"):
        op.execute(f"CREATE INDEX ix_{table}_household_id ON {table} (household_id)")
        protect_by_division(table)
        grant("registry", table, api="SELECT, INSERT, UPDATE")
    op.execute("CREATE INDEX ix_splits_new_household_id ON splits (new_household_id)")
    op.execute(
        "CREATE UNIQUE INDEX uq_mergers_merged_id ON mergers (merged_id) WHERE undone_on IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION note_duplicates(uuid[], date, timestamptz)")
    op.execute("DROP TABLE duplicate_candidates")
    op.execute("DROP INDEX ix_persons_birth_date")
    for table in ("persons", "households"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN phone_hash")
    op.execute("DROP TABLE source_conflicts")
    op.execute("DROP TABLE mergers")
    op.execute("DROP TABLE splits")
    op.execute("DROP TABLE household_aliases")
    op.execute("DROP FUNCTION free_from(uuid[])")
    _transfers_as_they_were()


_OPEN = "state = 'requested' OR state = 'agreed'"
_ASKED = "uq_transfer_tasks_person_id_division_code"


def _duplicates() -> None:
    for table in ("persons", "households"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN phone_hash bytea")
        op.execute(f"CREATE INDEX ix_{table}_phone_hash ON {table} (phone_hash)")
    op.execute("CREATE INDEX ix_persons_birth_date ON persons (birth_date, name)")
    op.execute(_CANDIDATES)
    op.execute(
        "CREATE UNIQUE INDEX uq_duplicate_candidates_pair "
        "ON duplicate_candidates (first_person_id, second_person_id)"
    )
    op.execute(
        "CREATE INDEX ix_duplicate_candidates_division_code "
        "ON duplicate_candidates (division_code, candidate_id)"
    )
    protect_by_division("duplicate_candidates")
    grant("registry", "duplicate_candidates", api="SELECT, UPDATE", worker="SELECT, UPDATE")
    op.execute(_NOTE)
    note = "note_duplicates(uuid[], date, timestamptz)"
    op.execute(f"REVOKE ALL ON FUNCTION {note} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {note} TO registry_api, registry_worker")


_CANDIDATES = """
CREATE TABLE duplicate_candidates (
    candidate_id uuid NOT NULL,
    first_person_id uuid NOT NULL,
    second_person_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    grounds text[] COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    opened_on date NOT NULL,
    decided_on date,
    decided_by text COLLATE "C",
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_duplicate_candidates PRIMARY KEY (candidate_id),
    CONSTRAINT fk_duplicate_candidates_first_person_id FOREIGN KEY (first_person_id)
        REFERENCES persons (person_id),
    CONSTRAINT fk_duplicate_candidates_second_person_id FOREIGN KEY (second_person_id)
        REFERENCES persons (person_id)
)"""

# A phone that more than five people hold is a village cadre's, and says nothing of them; nor does
# a name with a birth date. The limits also bound what a write has to look at.
_NOTE = """
CREATE FUNCTION note_duplicates(people uuid[], today date, at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    WITH known AS (
        SELECT person_id, name, birth_date, phone_hash FROM public.persons
        WHERE person_id = ANY (people)
    ), named AS (
        SELECT known.person_id AS one, unnest(same.people) AS two, 'name_birth_date' AS ground
        FROM known CROSS JOIN LATERAL (
            SELECT array_agg(person_id) AS people, count(*) AS n FROM (
                SELECT other.person_id FROM public.persons AS other
                WHERE other.birth_date = known.birth_date AND other.name = known.name
                    AND other.person_id <> known.person_id
                LIMIT 5) AS others) AS same
        WHERE same.n < 5
    ), mine AS (
        SELECT person_id, phone_hash FROM known WHERE phone_hash IS NOT NULL
        UNION
        SELECT head_person_id, phone_hash FROM public.households
        WHERE head_person_id = ANY (people) AND phone_hash IS NOT NULL AND state <> 'closed'
    ), holders AS (
        SELECT held.person_id, sought.phone_hash
        FROM (SELECT DISTINCT phone_hash FROM mine) AS sought CROSS JOIN LATERAL (
            (SELECT person_id FROM public.persons
             WHERE persons.phone_hash = sought.phone_hash LIMIT 6)
            UNION
            (SELECT head_person_id FROM public.households
             WHERE households.phone_hash = sought.phone_hash AND state <> 'closed' LIMIT 6)
        ) AS held
    ), telling AS (
        SELECT phone_hash FROM holders GROUP BY phone_hash HAVING count(*) BETWEEN 2 AND 5
    ), phoned AS (
        SELECT mine.person_id AS one, holders.person_id AS two, 'phone' AS ground
        FROM mine JOIN telling USING (phone_hash) JOIN holders USING (phone_hash)
        WHERE mine.person_id <> holders.person_id AND NOT EXISTS (
            SELECT FROM public.members AS his JOIN public.members AS hers USING (household_id)
            WHERE his.person_id = mine.person_id AND hers.person_id = holders.person_id
                AND his.left_on IS NULL AND hers.left_on IS NULL)
    ), pairs AS (
        SELECT least(one, two) AS first, greatest(one, two) AS second,
            array_agg(DISTINCT ground ORDER BY ground) AS grounds
        FROM (SELECT * FROM named UNION ALL SELECT * FROM phoned) AS found GROUP BY 1, 2
    ), placed AS (
        SELECT pairs.*, CASE
            WHEN a.division_code = b.division_code THEN a.division_code
            WHEN left(a.division_code, 9) = left(b.division_code, 9) THEN left(a.division_code, 9)
            WHEN left(a.division_code, 6) = left(b.division_code, 6) THEN left(a.division_code, 6)
            ELSE left(a.division_code, 4) END AS place
        FROM pairs
        JOIN public.persons AS a ON a.person_id = pairs.first
        JOIN public.persons AS b ON b.person_id = pairs.second
    ), noted AS (
        INSERT INTO public.duplicate_candidates AS stored (candidate_id, first_person_id,
            second_person_id, division_code, grounds, state, opened_on, reason, recorded_at)
        SELECT uuidv7(), first, second, place, grounds, 'open', today, '', at FROM placed
        ORDER BY first, second
        ON CONFLICT (first_person_id, second_person_id) DO UPDATE
            SET division_code = excluded.division_code, recorded_at = excluded.recorded_at,
                grounds = (SELECT array_agg(DISTINCT ground ORDER BY ground)
                    FROM unnest(stored.grounds || excluded.grounds) AS all_of(ground))
            WHERE stored.state = 'open' AND (stored.division_code <> excluded.division_code
                OR NOT stored.grounds @> excluded.grounds)
        RETURNING candidate_id, division_code
    )
    INSERT INTO public.tasks (task_id, kind, subject_id, division_code, opened_on,
        due_provisional, recorded_at)
    SELECT uuidv7(), 'duplicate_candidate', candidate_id, division_code, today, false, at
    FROM noted
    ON CONFLICT (kind, subject_id) WHERE closed_on IS NULL
        DO UPDATE SET division_code = excluded.division_code
$$"""

_SPLITS = """
CREATE TABLE splits (
    split_id uuid NOT NULL,
    household_id uuid NOT NULL,
    new_household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    split_on date NOT NULL,
    reason text NOT NULL,
    watched boolean NOT NULL,
    decided_by text COLLATE "C" NOT NULL,
    outcome text COLLATE "C",
    reviewed_on date,
    reviewed_by text COLLATE "C",
    review_reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_splits PRIMARY KEY (split_id),
    CONSTRAINT fk_splits_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT fk_splits_new_household_id FOREIGN KEY (new_household_id)
        REFERENCES households (household_id)
)"""

_MERGERS = """
CREATE TABLE mergers (
    merger_id uuid NOT NULL,
    household_id uuid NOT NULL,
    merged_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    merged_on date NOT NULL,
    reason text NOT NULL,
    decided_by text COLLATE "C" NOT NULL,
    revision_before bigint NOT NULL,
    revision bigint NOT NULL,
    merged_revision bigint NOT NULL,
    undone_on date,
    undone_by text COLLATE "C",
    undone_reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_mergers PRIMARY KEY (merger_id),
    CONSTRAINT fk_mergers_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT fk_mergers_merged_id FOREIGN KEY (merged_id)
        REFERENCES households (household_id)
)"""


_SOURCE_CONFLICTS = """
CREATE TABLE source_conflicts (
    conflict_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    bureau text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    origin text COLLATE "C" NOT NULL,
    wanted jsonb NOT NULL,
    valid_from date NOT NULL,
    opened_on date NOT NULL,
    outcome text COLLATE "C",
    settled_on date,
    settled_by text COLLATE "C",
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_source_conflicts PRIMARY KEY (conflict_id),
    CONSTRAINT fk_source_conflicts_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id)
)"""


def _transfers() -> None:
    op.execute(
        """
        ALTER TABLE transfer_tasks
            ADD COLUMN household_id uuid,
            ADD COLUMN offered_from text COLLATE "C",
            ADD COLUMN state text COLLATE "C" NOT NULL DEFAULT 'requested',
            ADD COLUMN moves_on date,
            ADD COLUMN new_head_person_id uuid,
            ADD COLUMN decided_by text COLLATE "C",
            ADD COLUMN decided_at timestamptz,
            ADD COLUMN reason text NOT NULL DEFAULT '',
            ADD COLUMN taken_over_by text COLLATE "C",
            ADD COLUMN taken_over_on date"""
    )
    op.execute(f"DROP INDEX {_ASKED}")
    op.execute(
        f"CREATE UNIQUE INDEX {_ASKED} ON transfer_tasks (person_id, division_code) WHERE {_OPEN}"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_transfer_tasks_agreed ON transfer_tasks (person_id) "
        "WHERE state = 'agreed'"
    )
    sides = " OR ".join(
        COVERED.format(column=column) for column in ("division_code", "from_county", "offered_from")
    )
    op.execute("DROP POLICY by_division ON transfer_tasks")
    op.execute(f"CREATE POLICY by_division ON transfer_tasks USING ({sides}) WITH CHECK ({sides})")
    op.execute("GRANT UPDATE ON transfer_tasks TO registry_api")


def _aliases() -> None:
    op.execute(
        """
        CREATE TABLE household_aliases (
            household_id uuid NOT NULL,
            kind text COLLATE "C" NOT NULL,
            number text COLLATE "C" NOT NULL,
            division_code text COLLATE "C" NOT NULL,
            recorded_by text COLLATE "C" NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_household_aliases PRIMARY KEY (household_id, kind),
            CONSTRAINT fk_household_aliases_household_id FOREIGN KEY (household_id)
                REFERENCES households (household_id)
        )"""
    )
    op.execute("CREATE INDEX ix_household_aliases_number ON household_aliases (number)")
    op.execute(
        "CREATE UNIQUE INDEX uq_household_aliases_national ON household_aliases (number) "
        "WHERE kind = 'national_household_no'"
    )
    protect_by_division("household_aliases")
    grant("registry", "household_aliases", api="SELECT, INSERT, UPDATE, DELETE")


def _free_from() -> None:
    """Since when people stand in no household, of all counties: a day and no more.

    Who left because he was there by mistake, or with a refused file, has counted for nobody.
    """
    op.execute(
        """
        CREATE FUNCTION free_from(people uuid[])
        RETURNS TABLE (person_id uuid, free_from date)
        LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, public, pg_temp
        SET bangfu.divisions = ','
        AS $$
            SELECT members.person_id, max(members.left_on) FROM public.members
            WHERE members.person_id = ANY (people) AND members.left_on IS NOT NULL
                AND coalesce(members.left_reason, '') NOT IN
                    ('entered_in_error', 'file_refused')
            GROUP BY members.person_id
        $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION free_from(uuid[]) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION free_from(uuid[]) TO registry_api, registry_worker")


def _transfers_as_they_were() -> None:
    op.execute("REVOKE UPDATE ON transfer_tasks FROM registry_api")
    asking, holding = COVERED.format(column="division_code"), COVERED.format(column="from_county")
    op.execute("DROP POLICY by_division ON transfer_tasks")
    op.execute(
        f"CREATE POLICY by_division ON transfer_tasks USING ({asking} OR {holding}) "
        f"WITH CHECK ({asking})"
    )
    op.execute("DELETE FROM transfer_tasks WHERE state <> 'requested' AND state <> 'agreed'")
    op.execute(f"DROP INDEX {_ASKED}")
    op.execute("DROP INDEX uq_transfer_tasks_agreed")
    op.execute(f"CREATE UNIQUE INDEX {_ASKED} ON transfer_tasks (person_id, division_code)")
    op.execute(
        """
        ALTER TABLE transfer_tasks
            DROP COLUMN household_id, DROP COLUMN offered_from, DROP COLUMN state,
            DROP COLUMN moves_on, DROP COLUMN new_head_person_id, DROP COLUMN decided_by,
            DROP COLUMN decided_at, DROP COLUMN reason, DROP COLUMN taken_over_by,
            DROP COLUMN taken_over_on"""
    )
