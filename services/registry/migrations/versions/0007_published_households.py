"""What was last published of each household, for listeners that check their copies.

The api may write the history and not read it; through this function it sees the newest event of the
households in the caller's divisions, for the row policies of ``households`` hold inside.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION published_households(after uuid, wanted uuid[], most integer)
        RETURNS TABLE (household_id uuid, division_code text, version bigint, state text)
        LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, public, pg_temp
        AS $$
            SELECT households.household_id, households.division_code, newest.aggregate_version,
                convert_from(newest.data, 'UTF8')
            FROM public.households CROSS JOIN LATERAL (
                SELECT events.aggregate_version, events.data FROM public.events
                WHERE events.subject = CAST(households.household_id AS text)
                    AND events.topic = 'registry.households'
                ORDER BY events.aggregate_version DESC LIMIT 1
            ) AS newest
            WHERE (after IS NULL OR households.household_id > after)
                AND (wanted IS NULL OR households.household_id = ANY (wanted))
            ORDER BY households.household_id LIMIT most
        $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION published_households(uuid, uuid[], integer) FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION published_households(uuid, uuid[], integer) TO registry_api"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION published_households(uuid, uuid[], integer)")
