"""Which errors of a handler pass by themselves, and which stay with the message.

The first are waited out for ever, since nothing is wrong with the message; the second park it.
"""

import asyncpg
from pydantic import ValidationError
from sqlalchemy import exc

from shared.scrubbing import scrub

PASSING_CLASSES = ("08", "40", "53", "57", "58")
"""SQLSTATE classes: connection, rollback (deadlock, serialization), resources, operator, system."""
PASSING_STATES = frozenset(
    {
        "25006",  # read-only: the primary is being moved
        "25P03",  # idle_in_transaction_session_timeout: we were stopped for too long
        "55P03",  # lock_timeout
        "55006",  # object in use
    }
)


def passes(error: BaseException) -> bool:
    """Whether waiting and trying again is the answer.

    True for lost connections, deadlocks, statement and lock timeouts (``57014``, ``55P03``), a
    server that starts or stops; False for a constraint (``23505``), bad data or a bug.
    """
    if isinstance(error, asyncpg.PostgresError):
        return _passes(error.sqlstate or "")
    if isinstance(error, exc.DBAPIError):
        state = sqlstate(error)
        if error.connection_invalidated or state is None:
            return error.connection_invalidated or isinstance(
                error, exc.InterfaceError | exc.OperationalError
            )
        return _passes(state)
    # asyncpg's own confusion, not ours: a session that the server ended in mid-statement.
    lost = asyncpg.InternalClientError | asyncpg.InterfaceError
    return isinstance(error, OSError | TimeoutError | exc.TimeoutError | lost)


def _passes(state: str) -> bool:
    return state.startswith(PASSING_CLASSES) or state in PASSING_STATES


def sqlstate(error: exc.DBAPIError) -> str | None:
    """The five characters PostgreSQL gave, None where the driver itself raised."""
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None


def reason_of(error: BaseException) -> str:
    """The error in one line for the parked row: what kind, and where.

    No parameter values and no contents of rows: the message itself is parked beside it.
    """
    if isinstance(error, exc.DBAPIError):
        driver = getattr(error.orig, "__cause__", None)
        constraint = getattr(driver, "constraint_name", None)
        kind = type(driver or error.orig).__name__
        return " ".join(filter(None, (kind, sqlstate(error), constraint)))
    if isinstance(error, asyncpg.PostgresError):
        parts = (type(error).__name__, error.sqlstate, error.constraint_name)
        return " ".join(filter(None, parts))
    if isinstance(error, ValidationError):
        faults = (f"{'.'.join(map(str, e['loc']))} {e['type']}" for e in error.errors())
        return f"{error.title}: {'; '.join(faults)}"[:500]
    first_line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {scrub(first_line)}"[:500]
