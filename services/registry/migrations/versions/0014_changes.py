"""The change feed's look into the history: what was published, in order, in the caller's divisions.

The api may write the history and not read it. A change is shown to whoever covers the household's
village at that version, or covered it at the version before, for a household that moved away.
"""

from alembic import op

from shared.schema.access import COVERED

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_HERE = COVERED.format(column="(here.state ->> 'division_code')")
_LEFT = COVERED.format(column="(before.state ->> 'division_code')")


def upgrade() -> None:
    op.execute(
        f"""
        CREATE FUNCTION household_changes(after bigint, upto bigint, most integer)
        RETURNS TABLE (id bigint, household_id uuid, version bigint, type text,
            recorded_at timestamptz, state text, covered boolean, left_it boolean)
        LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, public, pg_temp
        AS $$
            SELECT events.id, CAST(events.subject AS uuid), events.aggregate_version, events.type,
                events.recorded_at, here.state::text, {_HERE}, {_LEFT}
            FROM public.events
            CROSS JOIN LATERAL (
                SELECT CAST(convert_from(events.data, 'UTF8') AS json) AS state
            ) AS here
            LEFT JOIN LATERAL (
                SELECT CAST(convert_from(older.data, 'UTF8') AS json) AS state
                FROM public.events AS older
                WHERE older.subject = events.subject AND older.topic = events.topic
                    AND older.aggregate_version = events.aggregate_version - 1
                LIMIT 1
            ) AS before ON true
            WHERE events.topic = 'registry.households'
                AND events.id > after AND events.id <= upto
            ORDER BY events.id LIMIT most
        $$
        """  # noqa: S608 (own names)
    )
    op.execute(
        """
        CREATE FUNCTION last_history_id() RETURNS bigint
        LANGUAGE sql VOLATILE SECURITY DEFINER
        SET search_path = pg_catalog, public, pg_temp
        AS $$ SELECT last_value FROM public.events_id_seq $$
        """
    )
    for name in _FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO registry_api")


def downgrade() -> None:
    for name in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")


_FUNCTIONS = ("household_changes(bigint, bigint, integer)", "last_history_id()")
