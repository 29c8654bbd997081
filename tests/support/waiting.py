"""Tests wait for a condition with a limit; they never sleep and hope."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(
    look: Callable[[], Awaitable[T]], *, what: str, seconds: float = 30.0, every: float = 0.05
) -> T:
    """Call ``look`` until it answers something true, and return that. Fails naming ``what``."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (seen := await look()):
        if loop.time() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s for {what}; last seen: {seen!r}")
        await asyncio.sleep(every)
    return seen
