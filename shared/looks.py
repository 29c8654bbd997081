"""A look at personal data as one statement: the caller's divisions, what is shown, its audit line.

For reads that many ask for. A statement outside a transaction is one by itself, so what is shown
and the line about it are one transaction still, in one round trip in place of four.

No connection carries the divisions of anybody: they are set by the statement, for the statement
(``set_config(…, true)``), and PostgreSQL takes them back when it ends in whatever way. The query
stands in a lateral sub-select that needs the row which set them, so it cannot be begun before; a
query that were begun earlier all the same would see no rows, never those of another caller.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, Request

from shared import audit
from shared.auth import Caller, sender_of
from shared.db import Database, divisions_setting
from shared.together import moved


class Look:
    """What a route asks with that shows personal data by one query and changes nothing."""

    def __init__(self, database: Database, caller: Caller) -> None:
        self._database = database
        self._caller = caller

    async def at(
        self,
        query: str,
        *values: Any,
        action: str,
        subject_type: str,
        detail: Mapping[str, Any] | None = None,
    ) -> list[asyncpg.Record]:
        """The rows of ``query`` that lie in the caller's divisions, an audit line for each.

        ``query`` is one SELECT with ``$1`` … for ``values``; of its columns ``subject_id`` (text)
        and ``division_code`` go into the line. Both are committed when this returns; no row, no
        line. ``action``, ``subject_type`` and ``detail`` as for ``audit.record``.
        """
        line = audit.line(self._caller, action=action, subject_type=subject_type, detail=detail)
        divisions = divisions_setting(self._caller.divisions)
        return await self._database.statement(noted(query), *line, divisions, *values)


@lru_cache(maxsize=256)
def noted(query: str) -> str:
    """The statement of a look: the audit line's values first, then the divisions, then its own."""
    first = audit.LINE_VALUES + 1
    return f"""
        WITH caller AS MATERIALIZED (
            SELECT set_config('bangfu.divisions', ${first}, true) AS divisions
        ), shown AS MATERIALIZED (
            SELECT covered.* FROM caller CROSS JOIN LATERAL (
                SELECT asked.* FROM ({moved(query, first)}) AS asked
                WHERE caller.divisions IS NOT NULL OFFSET 0  -- 0 keeps it from being pulled up
            ) AS covered
        ), noted AS ({audit.OF_SHOWN})
        SELECT * FROM shown
    """  # noqa: S608 - a query of our own, its values are parameters


async def open_look(request: Request) -> Look:
    """A look with the caller's eyes; it takes a connection only while it asks."""
    return Look(request.app.state.platform.database, await sender_of(request))


LookDep = Annotated[Look, Depends(open_look)]
