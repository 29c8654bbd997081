"""Several writes as one statement: one round trip, for rows that nobody reads back before the end.

A round trip to the database costs a request more than what it does there. Each write becomes a
data-modifying CTE; they share one snapshot, see nothing of each other and run in no order, so only
writes to different rows may stand together.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import Transaction, driver_of

MOST_TOGETHER = 12
"""More than this would be a new statement text for every number of rows: then one by one."""

_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Write:
    """One statement with ``$1`` … for ``values``.

    ``before`` are the named CTEs that it reads; ``#`` in them and in ``sql`` becomes the write's
    number, so that two of a kind can stand together. Parameters may stand anywhere in it.
    ``in_order`` is for writes whose rows are numbered as they are written: two of one ``sql`` never
    stand together then, since what stands together runs in no promised order.
    """

    sql: str
    values: Sequence[Any]
    before: tuple[tuple[str, str], ...] = ()
    in_order: bool = False


async def write_at_the_end(session: AsyncSession, one: Write) -> None:
    """Leave ``one`` to the statement that keeps the request's answer, or do it now if none will.

    For rows that the request itself never reads: audit lines, events. One that is ``in_order``
    sends an earlier one of its ``sql`` ahead, in a statement of its own: at the end comes the last.
    """
    if not isinstance(session, Transaction) or session.closing is None:
        await write(session, [one])
        return
    earlier = [each for each in session.closing if one.in_order and each.sql == one.sql]
    if earlier:
        session.closing = [each for each in session.closing if each not in earlier]
        await write(session, earlier)
    session.closing.append(one)


async def write(session: AsyncSession, writes: Sequence[Write]) -> str:
    """Carry out ``writes`` in one statement; gives the status of the last (``INSERT 0 1``)."""
    statement = _combined(tuple((one.before, one.sql, len(one.values)) for one in writes))
    return await driver_of(session).execute(
        statement, *(value for one in writes for value in one.values)
    )


_Text = tuple[tuple[tuple[str, str], ...], str, int]


@lru_cache(maxsize=512)
def _combined(texts: tuple[_Text, ...]) -> str:
    named: list[str] = []
    last = ""
    offset = 0
    for number, (before, sql, values) in enumerate(texts):
        named += [
            f"{name.replace('#', str(number))} AS {moved(text.replace('#', str(number)), offset)}"
            for name, text in before
        ]
        last = moved(sql.replace("#", str(number)), offset)
        if number < len(texts) - 1:
            named.append(f"write_{number} AS ({last})")
        offset += values
    return f"WITH {', '.join(named)} {last}" if named else last


def moved(sql: str, offset: int) -> str:
    """``sql`` with its parameters behind ``offset`` others: ``$1`` becomes ``$4`` behind three."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + offset}", sql)
