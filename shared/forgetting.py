"""Forgetting versions, so that a listener takes again what it has: the way out of damaged rows.

Two guards let a household's version only rise: ``received`` and its copy. Both are lowered here,
and nothing else: the rows stay as they are, and are read, until the registry's replay replaces
them. Between the two a copy may go back to an older state that Kafka still delivers, never for
longer than until the replayed one.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import audit, parking
from shared.auth import Caller
from shared.contracts.registry import SOURCE
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database

TOPIC = (HOUSEHOLDS.name,)
CHUNK = 5_000
"""Households forgotten in one transaction, during which no batch is applied."""


async def forget_all(
    database: Database,
    caller: Caller,
    *,
    because: str,
    chunk: int = CHUNK,
    tell: Callable[[int], None] = lambda _: None,
) -> int:
    """``forget`` of every household ever received, ``chunk`` a transaction; gives their number.

    ``tell`` hears the number so far. Broken off, it may simply be run again. Raises ValueError
    without a reason.
    """
    number, after = 0, ""
    while True:
        async with database.transaction() as session:
            ids = list(await session.scalars(_NEXT, {"source": SOURCE, "after": after, "n": chunk}))
            await _forget(session, ids)
            await _record(session, caller, because, TOPIC, len(ids))
        number += len(ids)
        tell(number)
        if len(ids) < chunk:
            return number
        after = ids[-1]


async def forget(
    session: AsyncSession, caller: Caller, household_ids: Sequence[UUID], *, because: str
) -> int:
    """Take the next version of these households that comes, whichever it is; gives their number.

    In the caller's transaction. Raises ValueError without a reason.
    """
    ids = [str(household_id) for household_id in household_ids]
    number = await _forget(session, ids)
    await _record(session, caller, because, ids, number)
    return number


async def _forget(session: AsyncSession, ids: Sequence[str]) -> int:
    # The gate keeps batches out: they lock these very rows, in an order of their own.
    await parking.close_gate(session)
    known = await session.scalars(_FORGET_RECEIVED, {"source": SOURCE, "ids": list(ids)})
    copied = await session.scalars(_LOWER_COPIES, {"ids": list(ids)})
    return len({*known, *copied})


async def _record(
    session: AsyncSession, caller: Caller, because: str, subjects: Sequence[str], number: int
) -> None:
    """One line a household, or one for a whole chunk of the topic."""
    if not because.strip():
        raise ValueError("versions are forgotten for a reason: say which")
    await audit.record(
        session,
        caller,
        action="event.versions_forgotten",
        subject_type="topic" if subjects == TOPIC else "household",
        subject_id=subjects,
        detail={"because": because, "households": number},
    )


_NEXT = text("""
    SELECT id FROM (
        SELECT aggregate_id COLLATE "C" AS id FROM received WHERE source = :source
        UNION SELECT CAST(household_id AS text) COLLATE "C" FROM household_copy
    ) AS known
    WHERE id > :after ORDER BY id LIMIT :n
""")

_FORGET_RECEIVED = text("""
    DELETE FROM received WHERE source = :source AND aggregate_id = ANY (CAST(:ids AS text[]))
    RETURNING aggregate_id
""")

_LOWER_COPIES = text("""
    UPDATE household_copy SET version = 0
    WHERE household_id = ANY (CAST(CAST(:ids AS text[]) AS uuid[]))
    RETURNING CAST(household_id AS text)
""")
