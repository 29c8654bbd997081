"""What a new day brings: notices whose days are full, children who turn six, ages that end.

A turn runs once when the worker starts and again whenever the platform's day changes, moved clock
included. It must look at what is stored and be safe to repeat: two workers may both be at it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock, logs
from shared.db import Database
from shared.trouble import passes
from shared.waiting import pause

LOOK_EVERY = 1.0
"""Seconds between looks at the clock."""
_LOCK = 0x62616E6766750002

Turn = Callable[[AsyncSession, date], Awaitable[bool]]
"""Does one chunk of what ``day`` brings in the session's transaction; True when more is left."""

_log = logs.get("daily")


class Days:
    """Runs a service's turns until told to stop. Trouble that passes by itself is waited out."""

    def __init__(self, database: Database, turns: Sequence[Turn]) -> None:
        self._database = database
        self._turns = turns

    async def run(self, stop: asyncio.Event) -> None:
        """Raises only a turn's own error, which does not pass."""
        done: date | None = None
        while not stop.is_set():
            day = clock.today()
            if day != done and await self._turned(day, stop):
                done = day
            await pause(stop, LOOK_EVERY)

    async def _turned(self, day: date, stop: asyncio.Event) -> bool:
        try:
            for turn in self._turns:
                while not stop.is_set() and await self._chunk(turn, day):
                    pass
        except Exception as error:
            if not passes(error):
                raise
            _log.warning("daily.put_off", error=type(error).__name__)
            return False
        return not stop.is_set()

    async def _chunk(self, turn: Turn, day: date) -> bool:
        async with self._database.transaction() as session:
            await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            return await turn(session, day)
