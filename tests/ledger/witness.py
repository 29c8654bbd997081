"""What the ledger installs beside the project's own tables: triggers that write down or refuse.

Listeners: every row that ``received`` or the copy takes is noted with its version and moment, and
every version that goes back. The registry: a write that carries the mark is rolled back after its
event is in the outbox. Notify: a poisoned household cannot be stored.
"""

import asyncpg

from tests.ledger.stack import SERVICES, Stack

ABORTS = "abort-"
"""A correlation id that begins so is rolled back at its commit."""
POISON = "6666.66"
"""The rigid expense, in yuan, that notify cannot store while it is poisoned."""

_WATCH = """
CREATE SCHEMA witness;
CREATE TABLE witness.seen (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, place text NOT NULL, source text NOT NULL,
    aggregate_id text NOT NULL, version bigint NOT NULL, at timestamptz NOT NULL);
CREATE TABLE witness.went_back (
    place text NOT NULL, aggregate_id text NOT NULL, old bigint NOT NULL, new bigint NOT NULL,
    at timestamptz NOT NULL);
"""
_NOTE = """
CREATE FUNCTION witness.note_{table}_{when}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN
    INSERT INTO witness.seen (place, source, aggregate_id, version, at)
    SELECT '{table}', {source}, {key}, version, clock_timestamp() FROM new_rows;
    {compare}
    RETURN NULL;
END $$;
CREATE TRIGGER witness_{when} AFTER {when} ON {table} REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION witness.note_{table}_{when}();
"""
_COMPARE = """
    INSERT INTO witness.went_back (place, aggregate_id, old, new, at)
    SELECT '{table}', {new_key}, o.version, n.version, clock_timestamp()
    FROM new_rows n JOIN old_rows o ON {same} WHERE o.version >= n.version;
"""
_ABORT = """
CREATE FUNCTION witness_abort() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN
    IF EXISTS (SELECT FROM events WHERE id = NEW.event_id AND recorded_at = NEW.recorded_at
               AND correlation_id LIKE '{aborts}%') THEN
        RAISE EXCEPTION 'rolled back on purpose';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER witness_abort AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION witness_abort();
"""
_POISON = """
CREATE FUNCTION witness_poison() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF NEW.rigid_expenses ->> 'other' = '{poison}' THEN
        RAISE EXCEPTION 'poison' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER witness_poison BEFORE INSERT OR UPDATE ON household_copy
    FOR EACH ROW EXECUTE FUNCTION witness_poison();
"""


def _watch(table: str, source: str, key: tuple[str, ...]) -> str:
    last = key[-1]
    same = " AND ".join(f"n.{each} = o.{each}" for each in key)
    compare = _COMPARE.format(table=table, new_key=f"n.{last}::text", same=same)
    common = {"table": table, "source": source, "key": f"{last}::text"}
    return _NOTE.format(
        **common, when="INSERT", tables="NEW TABLE AS new_rows", compare=""
    ) + _NOTE.format(
        **common,
        when="UPDATE",
        tables="OLD TABLE AS old_rows NEW TABLE AS new_rows",
        compare=compare,
    )


async def install(stack: Stack) -> None:
    """Put every trigger in, as the superuser."""
    for service in SERVICES:
        orders = _WATCH + _watch("received", "source", ("source", "aggregate_id"))
        if service == "registry":
            orders += _ABORT.format(aborts=ABORTS)
        else:
            orders += _watch("household_copy", "'/registry'", ("household_id",))
        if service == "notify":
            orders += _POISON.format(poison=POISON)
        await _execute(stack.database_url(service), orders)


async def end_poisoning(stack: Stack) -> None:
    """From now on notify can store what it could not."""
    await _execute(stack.database_url("notify"), "DROP TRIGGER witness_poison ON household_copy")


async def _execute(url: str, orders: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(orders)
    finally:
        await connection.close()
