"""Most people share nothing with anybody: that is seen without the long look for doubles.

Planning and starting the long statement takes longer than anything it looks up. And a household is
found by its head without going through all of them.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BOTH = "registry_api, registry_worker"
_NOTE = "note_duplicates(uuid[], date, timestamptz)"
_LONG = "note_pairs(uuid[], date, timestamptz)"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_households_head_person_id ON households (head_person_id)")
    op.execute(f"ALTER FUNCTION {_NOTE} RENAME TO note_pairs")
    op.execute(f"REVOKE ALL ON FUNCTION {_LONG} FROM {_BOTH}")
    op.execute(_QUICK)
    op.execute(f"REVOKE ALL ON FUNCTION {_NOTE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_NOTE} TO {_BOTH}")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {_NOTE}")
    op.execute(f"ALTER FUNCTION {_LONG} RENAME TO note_duplicates")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_NOTE} TO {_BOTH}")
    op.execute("DROP INDEX ix_households_head_person_id")


_QUICK = """
CREATE FUNCTION note_duplicates(people uuid[], today date, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(people) AS asked(id)
        JOIN public.persons AS one ON one.person_id = asked.id
        JOIN public.persons AS other ON other.birth_date = one.birth_date
            AND other.name = one.name AND other.person_id <> one.person_id
    ) OR EXISTS (
        SELECT FROM unnest(people) AS asked(id)
        CROSS JOIN LATERAL (
            SELECT phone_hash FROM public.persons WHERE person_id = asked.id
            UNION ALL
            SELECT phone_hash FROM public.households WHERE head_person_id = asked.id
        ) AS mine
        WHERE EXISTS (
            SELECT FROM public.persons
            WHERE persons.phone_hash = mine.phone_hash AND person_id <> asked.id
        ) OR EXISTS (
            SELECT FROM public.households
            WHERE households.phone_hash = mine.phone_hash AND head_person_id <> asked.id
        )
    ) THEN
        PERFORM public.note_pairs(people, today, at);
    END IF;
END
$$"""
