"""Who may touch a table, for migrations: grants to the service's roles and row-level security.

``<service>_owner`` makes the objects, ``<service>_api`` serves requests under forced row-level
security, ``<service>_worker`` bypasses it. Only names written in migrations get in here.
"""

from alembic import op

COVERED = """EXISTS (
    SELECT FROM unnest(string_to_array(current_setting('bangfu.divisions', true), ','))
        AS allowed(prefix)
    WHERE {column} ^@ allowed.prefix)"""
"""Whether a row lies in the divisions of this transaction; unset or empty: it does not.

``^@`` is leakproof, so an index may be used before the policy is asked.
"""


def grant(
    service: str,
    table: str,
    *,
    api: str = "SELECT, INSERT",
    worker: str = "SELECT, INSERT, UPDATE, DELETE",
) -> None:
    """Grant privileges on ``table`` to the service's two running roles; "" grants none."""
    for role, privileges in (("api", api), ("worker", worker)):
        if privileges:
            op.execute(f"GRANT {privileges} ON {table} TO {service}_{role}")


def protect_by_division(table: str, *, column: str = "division_code") -> None:
    """Show and change only rows in the transaction's divisions; forced, so the owner too."""
    _force(table)
    covered = COVERED.format(column=column)
    op.execute(f"CREATE POLICY by_division ON {table} USING ({covered}) WITH CHECK ({covered})")


def protect_writes_by_division(table: str, *, column: str = "division_code") -> None:
    """Show every row, change only those in the transaction's divisions.

    For public facts that lower divisions inherit, like a city's parameters.
    """
    _force(table)
    covered = COVERED.format(column=column)
    op.execute(f"CREATE POLICY readable ON {table} FOR SELECT USING (true)")
    op.execute(f"CREATE POLICY insert_own ON {table} FOR INSERT WITH CHECK ({covered})")
    op.execute(
        f"CREATE POLICY update_own ON {table} FOR UPDATE USING ({covered}) WITH CHECK ({covered})"
    )


def protect_reads_by_division(table: str, *, column: str = "division_code") -> None:
    """Take every row, show only those in the transaction's divisions: for audit lines."""
    _force(table)
    op.execute(f"CREATE POLICY writable ON {table} FOR INSERT WITH CHECK (true)")
    op.execute(
        f"CREATE POLICY by_division ON {table} FOR SELECT USING ({COVERED.format(column=column)})"
    )


def _force(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
