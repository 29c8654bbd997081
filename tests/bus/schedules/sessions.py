"""A database session of either side, and how it goes wrong.

It may end before a statement, after it with the answer lost, or be given up by a client that has
waited too long while the server still does what it was told.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import asyncpg

from tests.bus.schedules.schedule import Schedule

T = TypeVar("T")

COMMAND_TIMEOUT = 20.0

SESSION_FAULTS = {
    "connection refused": 0.2,
    "session ends before": 0.02,
    "session ends after": 0.02,
    "statement too slow": 0.01,
    "statement waits": 0.03,
}


class Session:
    """One session: statements take a moment, and their effect falls somewhere inside it."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self._over = self._busy = False

    async def statement(self, effect: Callable[[], T]) -> T:
        """Do ``effect`` on the server and bring the answer, or fail as asyncpg does."""
        if self._over:
            raise asyncpg.InterfaceError("connection is closed")
        if self._busy:  # asyncpg would raise, and the relay take it for a lost session
            self.schedule.violated("two statements at once on one session")
        self._busy = True
        try:
            return await self._statement(effect)
        finally:
            self._busy = False

    async def _statement(self, effect: Callable[[], T]) -> T:
        schedule = self.schedule
        await schedule.pass_time(2.0 if schedule.strikes("statement waits") else 0.003)
        if schedule.strikes("session ends before"):
            self._end()
            raise asyncpg.AdminShutdownError("terminating connection")
        if schedule.strikes("statement too slow"):
            asyncio.get_running_loop().call_later(schedule.some(60.0), self._too_late, effect)
            await asyncio.sleep(COMMAND_TIMEOUT)
            raise TimeoutError
        if self._over:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed")
        answer = effect()
        await schedule.pass_time(0.003)
        if schedule.strikes("session ends after"):
            self._end()
            raise schedule.random.choice(_LOST)("lost")
        return answer

    def _too_late(self, effect: Callable[[], Any]) -> None:
        if not self._over:
            effect()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self.ended()

    def ended(self) -> None:
        """The server has ended it, whoever wanted that."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's
        """As ``asyncpg.Connection.close``; the server may hear of it a while later."""
        del timeout
        asyncio.get_running_loop().call_later(self.schedule.some(1.0), self._end)


_LOST: tuple[type[Exception], ...] = (
    ConnectionResetError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InternalClientError,
)
