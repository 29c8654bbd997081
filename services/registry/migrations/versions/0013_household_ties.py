"""Moves between counties that are agreed on and carried out."""

from alembic import op

from shared.schema.access import COVERED, grant, protect_by_division

revision = "0013"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _transfers()
    _free_from()
    _aliases()
    op.execute(_SPLITS)
    op.execute(_MERGERS)
    for table in ("splits", "mergers"):
        op.execute(f"CREATE INDEX ix_{table}_household_id ON {table} (household_id)")
        protect_by_division(table)
        grant("registry", table, api="SELECT, INSERT, UPDATE")
    op.execute("CREATE INDEX ix_splits_new_household_id ON splits (new_household_id)")
    op.execute(
        "CREATE UNIQUE INDEX uq_mergers_merged_id ON mergers (merged_id) WHERE undone_on IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP TABLE mergers")
    op.execute("DROP TABLE splits")
    op.execute("DROP TABLE household_aliases")
    op.execute("DROP FUNCTION free_from(uuid[])")
    _transfers_as_they_were()


_OPEN = "state = 'requested' OR state = 'agreed'"
_ASKED = "uq_transfer_tasks_person_id_division_code"


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
