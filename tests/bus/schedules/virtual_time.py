"""Time that passes only while nobody has anything to do: an hour of waiting costs nothing."""

import asyncio
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

_really = time.monotonic


class DeadlockError(RuntimeError):
    """Everybody waits and no timer is set: in reality this would hang for ever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that jumps to its next timer instead of waiting for it."""

    def __init__(self) -> None:
        self._now = 1_000.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """The virtual clock, in seconds."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError("nobody is ready and no timer is set")
        self._loop.jump(timeout)
        return []


@contextmanager
def virtual_time() -> Iterator[None]:
    """Inside, ``time.monotonic`` is the clock of the running loop, where that is a virtual one."""
    with patch.object(time, "monotonic", _monotonic):
        yield


def _monotonic() -> float:
    loop = asyncio._get_running_loop()
    return loop.time() if isinstance(loop, VirtualLoop) else _really()
