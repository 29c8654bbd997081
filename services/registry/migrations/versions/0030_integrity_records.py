"""Integrity records: findings of dishonesty, entered and confirmed, and lifted, by two each."""

from alembic import op

from shared.schema.access import grant, protect_by_division

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(_RECORDS)
    for index, columns in (
        ("household_id", "household_id, record_id"),
        ("subject_id", "subject_id"),
        ("person_hash", "person_hash"),
    ):
        op.execute(f"CREATE INDEX ix_integrity_records_{index} ON integrity_records ({columns})")
    protect_by_division("integrity_records")
    grant(
        "registry",
        "integrity_records",
        api="SELECT, INSERT, UPDATE",
        worker="SELECT, UPDATE (division_code)",
    )
    op.execute(_STANDING)
    arguments = "uuid[], bytea[], date"
    op.execute(f"REVOKE ALL ON FUNCTION standing_records({arguments}) FROM PUBLIC")
    op.execute(
        f"GRANT EXECUTE ON FUNCTION standing_records({arguments}) TO registry_api, registry_worker"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION standing_records(uuid[], bytea[], date)")
    op.execute("DROP TABLE integrity_records")


_RECORDS = """
CREATE TABLE integrity_records (
    record_id uuid NOT NULL,
    household_id uuid NOT NULL,
    division_code text COLLATE "C" NOT NULL,
    subject_kind text COLLATE "C" NOT NULL,
    subject_id uuid NOT NULL,
    person_hash bytea,
    kind text COLLATE "C" NOT NULL,
    found_on date NOT NULL,
    valid_until date NOT NULL,
    document text NOT NULL,
    words_encrypted bytea NOT NULL,
    entered_by text COLLATE "C" NOT NULL,
    entered_on date NOT NULL,
    confirmed_by text COLLATE "C",
    confirmed_on date,
    withdrawn_by text COLLATE "C",
    withdrawn_on date,
    withdrawn_reason_encrypted bytea,
    lift_entered_by text COLLATE "C",
    lift_entered_on date,
    lift_document text NOT NULL,
    lift_reason_encrypted bytea,
    lifted_by text COLLATE "C",
    lifted_on date,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_integrity_records PRIMARY KEY (record_id),
    CONSTRAINT fk_integrity_records_household_id FOREIGN KEY (household_id)
        REFERENCES households (household_id),
    CONSTRAINT ck_integrity_records_two_officers CHECK (confirmed_by <> entered_by),
    CONSTRAINT ck_integrity_records_two_officers_lift CHECK (lifted_by <> lift_entered_by),
    CONSTRAINT ck_integrity_records_validity CHECK (valid_until > found_on)
)"""

# Of records in any county: what stands of these people on a day, and on which paper. No word of it.
_STANDING = """
CREATE FUNCTION standing_records(people uuid[], hashes bytea[], on_day date)
RETURNS TABLE (subject_id uuid, kind text, document text, found_on date, valid_until date)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
SET bangfu.divisions = ','
AS $$
    SELECT asked.subject_id, found.kind, found.document, found.found_on, found.valid_until
    FROM unnest(people, hashes) AS asked(subject_id, person_hash)
    CROSS JOIN LATERAL (
        SELECT record.* FROM public.integrity_records AS record
        WHERE record.subject_id = asked.subject_id
        UNION
        SELECT record.* FROM public.integrity_records AS record
        WHERE record.person_hash = asked.person_hash) AS found
    WHERE found.confirmed_by IS NOT NULL AND found.lifted_by IS NULL
        AND on_day BETWEEN found.found_on AND found.valid_until
    ORDER BY asked.subject_id, found.found_on, found.record_id
$$
"""
