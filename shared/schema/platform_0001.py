"""The platform's tables, version 1: what every service's database begins with.

Two things are kept by grants alone: nobody but the owner can change or delete a line of
``audit_log`` or of the history ``events``.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.schema import access


def upgrade(service: str) -> None:
    """Create them for ``service``, whose three roles must exist."""
    op.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    op.execute(f"GRANT USAGE ON SCHEMA public TO {service}_api, {service}_worker")
    access.grant(service, "alembic_version", api="SELECT", worker="SELECT")
    _events(service)
    _outbox(service)
    _listening(service)
    _parked(service)
    _audit_log(service)
    _idempotency_keys(service)
    _jobs(service)
    _policy_parameters(service)
    _divisions(service)
    _working_days(service)


def downgrade(service: str) -> None:
    """Drop them all, with what they hold; only for a database that never served."""
    for table in _TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION ensure_event_partitions(date, integer)")
    for role in ("api", "worker"):
        op.execute(f"REVOKE ALL ON alembic_version FROM {service}_{role}")
        op.execute(f"REVOKE USAGE ON SCHEMA public FROM {service}_{role}")


_TABLES = (
    "working_days",
    "divisions",
    "policy_parameters",
    "jobs",
    "idempotency_keys",
    "audit_log",
    "parked",
    "consumer_offsets",
    "received",
    "outbox",
    "events",
)


def _code(name: str, *, nullable: bool = False) -> sa.Column[str]:
    # bytewise, so that "begins with" is a range that an index can serve
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def _moment(name: str, *, nullable: bool = False, now: bool = False) -> sa.Column[object]:
    default = sa.text("clock_timestamp()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def _events(service: str) -> None:
    op.execute(
        """
        CREATE TABLE events (
            id bigint GENERATED ALWAYS AS IDENTITY,
            recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            event_id uuid NOT NULL,
            topic text NOT NULL,
            kafka_partition smallint NOT NULL,
            key text NOT NULL,
            source text NOT NULL,
            type text NOT NULL,
            subject text NOT NULL,
            aggregate_version bigint NOT NULL,
            episode integer,
            rule_set text,
            effective_from date,
            correlation_id text NOT NULL,
            causation_id text,
            traceparent text,
            occurred_at timestamptz NOT NULL,
            data bytea NOT NULL,
            CONSTRAINT pk_events PRIMARY KEY (id, recorded_at),
            CONSTRAINT ck_events_data_fits_kafka CHECK (octet_length(data) <= 900000)
        ) PARTITION BY RANGE (recorded_at)
        """
    )
    op.create_index(
        "ix_events_subject_aggregate_version", "events", ["subject", "aggregate_version"]
    )
    op.create_index("ix_events_key", "events", ["key"])
    op.execute("CREATE TABLE events_default PARTITION OF events DEFAULT")
    op.execute(_ENSURE_EVENT_PARTITIONS)
    op.execute("REVOKE ALL ON FUNCTION ensure_event_partitions(date, integer) FROM PUBLIC")
    op.execute(
        f"GRANT EXECUTE ON FUNCTION ensure_event_partitions(date, integer) TO {service}_worker"
    )
    op.execute("SELECT ensure_event_partitions(date_trunc('month', now())::date, 3)")
    access.grant(service, "events", api="INSERT, SELECT (id, recorded_at)", worker="SELECT, INSERT")


# Rows that the default partition caught before their month had one are moved, or the month could
# never be attached. The lock lets two workers ask at once.
_ENSURE_EVENT_PARTITIONS = """
CREATE FUNCTION ensure_event_partitions(from_month date, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first timestamp;
    low timestamptz;
    high timestamptz;
    partition text;
    made integer := 0;
BEGIN
    IF months NOT BETWEEN 0 AND 120 THEN
        RAISE EXCEPTION 'months must lie between 0 and 120, not %', months;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('ensure_event_partitions', 0));
    FOR ahead IN 0 .. months - 1 LOOP
        first := date_trunc('month', from_month::timestamp) + make_interval(months => ahead);
        low := first AT TIME ZONE 'UTC';
        high := (first + interval '1 month') AT TIME ZONE 'UTC';
        partition := 'events_' || to_char(first, 'YYYY_MM');
        CONTINUE WHEN to_regclass('public.' || partition) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.events INCLUDING DEFAULTS '
            'INCLUDING CONSTRAINTS INCLUDING STORAGE)', partition);
        EXECUTE format('WITH moved AS (DELETE FROM public.events_default WHERE recorded_at >= %L '
            'AND recorded_at < %L RETURNING *) INSERT INTO public.%I SELECT * FROM moved',
            low, high, partition);
        EXECUTE format('ALTER TABLE public.events ATTACH PARTITION public.%I '
            'FOR VALUES FROM (%L) TO (%L)', partition, low, high);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$
"""


def _outbox(service: str) -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True)),
        sa.Column("event_id", sa.BigInteger, nullable=False),
        _moment("recorded_at"),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("kafka_partition", sa.SmallInteger, nullable=False),
        _moment("enqueued_at", now=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    # a queue: rows live for milliseconds, so dead ones must go at once
    op.execute(
        "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.01,"
        " autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0)"
    )
    access.grant(service, "outbox", api="INSERT")


def _listening(service: str) -> None:
    op.create_table(
        "received",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("aggregate_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("source", "aggregate_id", name="pk_received"),
    )
    op.create_table(
        "consumer_offsets",
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("kafka_partition", sa.SmallInteger, nullable=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", "kafka_partition", name="pk_consumer_offsets"),
    )
    access.grant(service, "received", api="")
    access.grant(service, "consumer_offsets", api="")


def _parked(service: str) -> None:
    op.create_table(
        "parked",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True)),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("kafka_partition", sa.SmallInteger, nullable=False),
        sa.Column("kafka_offset", sa.BigInteger, nullable=False),
        # a record that is not one of our events has none of these
        sa.Column("source", sa.Text),
        sa.Column("aggregate_id", sa.Text),
        sa.Column("aggregate_version", sa.BigInteger),
        sa.Column("type", sa.Text),
        sa.Column("key", sa.Text),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("data", sa.LargeBinary),
        sa.Column("reason", sa.Text, nullable=False),
        _moment("parked_at", now=True),
        sa.Column("state", sa.Text, nullable=False, server_default="parked"),
        sa.Column("resolved_by", sa.Text),
        _moment("resolved_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('parked', 'redriven', 'discarded')", name="ck_parked_known_state"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_parked"),
    )
    op.create_index(
        "ix_parked_source_aggregate_id",
        "parked",
        ["source", "aggregate_id"],
        postgresql_where=sa.text("state = 'parked'"),
    )
    access.grant(service, "parked", api="")


def _audit_log(service: str) -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True)),
        _moment("at"),
        sa.Column("sub", sa.Text, nullable=False),
        sa.Column("officer_id", sa.Text),
        sa.Column("bureau", sa.Text),
        sa.Column("unit", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject_type", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        _code("division_code", nullable=True),
        sa.Column("why", sa.Text),
        sa.Column("from_address", sa.Text),
        sa.Column("user_agent", sa.Text),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("detail", JSONB),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index(
        "ix_audit_log_subject_type_subject_id", "audit_log", ["subject_type", "subject_id"]
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    access.grant(service, "audit_log", api="SELECT, INSERT", worker="SELECT, INSERT")
    access.protect_reads_by_division("audit_log")


def _idempotency_keys(service: str) -> None:
    op.create_table(
        "idempotency_keys",
        # client, method, path and key, hashed: an address may be longer than an index entry
        sa.Column("scope", sa.LargeBinary),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        _moment("stored_at"),
        sa.PrimaryKeyConstraint("scope", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_stored_at", "idempotency_keys", ["stored_at"])
    access.grant(service, "idempotency_keys", api="SELECT, INSERT, UPDATE", worker="SELECT, DELETE")


def _jobs(service: str) -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Uuid),
        sa.Column("kind", sa.Text, nullable=False),
        _code("division_code"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("cursor", JSONB),
        sa.Column("done", sa.Integer, nullable=False, server_default="0"),
        sa.Column("total", sa.Integer),
        sa.Column("arguments", JSONB, nullable=False),
        sa.Column("result", JSONB),
        sa.Column("failure", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        _moment("created_at"),
        _moment("started_at", nullable=True),
        _moment("finished_at", nullable=True),
        _moment("heartbeat", nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed')", name="ck_jobs_known_state"
        ),
        sa.PrimaryKeyConstraint("job_id", name="pk_jobs"),
    )
    op.create_index(
        "ix_jobs_created_at",
        "jobs",
        ["created_at"],
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    access.grant(service, "jobs")
    access.protect_by_division("jobs")


def _policy_parameters(service: str) -> None:
    op.create_table(
        "policy_parameters",
        sa.Column("parameter_id", sa.Uuid),
        sa.Column("key", sa.Text, nullable=False),
        _code("division_code"),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("value", sa.Numeric(14, 4), nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("document_number", sa.Text, nullable=False),
        sa.Column("sample", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("entered_by", sa.Text, nullable=False),
        _moment("entered_at"),
        sa.Column("approved_by", sa.Text),
        _moment("approved_at", nullable=True),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.CheckConstraint("approved_by <> entered_by", name="ck_policy_parameters_two_people"),
        sa.PrimaryKeyConstraint("parameter_id", name="pk_policy_parameters"),
    )
    # one approved value a day; a wrong entry may stand beside its correction until one is approved
    op.create_index(
        "uq_policy_parameters_key_division_code_valid_from",
        "policy_parameters",
        ["key", "division_code", "valid_from"],
        unique=True,
        postgresql_where=sa.text("approved_at IS NOT NULL"),
    )
    access.grant(
        service,
        "policy_parameters",
        api="SELECT, INSERT, UPDATE (approved_by, approved_at, version)",
    )
    access.protect_writes_by_division("policy_parameters")


def _divisions(service: str) -> None:
    op.create_table(
        "divisions",
        _code("code"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        _code("parent_code", nullable=True),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        _code("merged_into", nullable=True),
        sa.Column("urban_rural", sa.Text),
        sa.CheckConstraint(
            "level IN ('city', 'county', 'township', 'village')", name="ck_divisions_known_level"
        ),
        sa.PrimaryKeyConstraint("code", name="pk_divisions"),
    )
    op.create_index("ix_divisions_parent_code", "divisions", ["parent_code"])
    access.grant(service, "divisions", api="SELECT")


def _working_days(service: str) -> None:
    op.create_table(
        "working_days",
        sa.Column("day", sa.Date),
        sa.Column("working", sa.Boolean, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_working_days"),
    )
    access.grant(service, "working_days", api="SELECT")
