"""One schedule: what chance does to the cores, from a seed, and what was seen of it."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import structlog

from tests.bus.schedules.virtual_time import VirtualLoop, virtual_time

Play = Callable[["Schedule"], Awaitable[None]]

LONGEST_TRACE = 400


class Schedule:
    """Chance, trace and verdict of one run; the same seed gives the same run.

    ``faults`` names every fault with the highest probability that a schedule may give it. Most
    schedules leave most of them out, so that each is also met without the others.
    """

    def __init__(self, seed: int, faults: Mapping[str, float]) -> None:
        self.seed = seed
        self.random = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
        self.rates = {
            name: most * self.random.choice((0.0, 0.0, 0.3, 1.0)) for name, most in faults.items()
        }
        self.calm = False
        """No fault strikes any more: what is owed must come now."""
        self.violation: str | None = None
        self.broken = asyncio.Event()
        self._trace: list[tuple[float, str, Mapping[str, Any]]] = []

    def strikes(self, fault: str) -> bool:
        """Whether this fault happens here and now."""
        rate = self.rates[fault]
        if self.calm or not rate or self.random.random() >= rate:
            return False
        self.note(f"fault: {fault}")
        return True

    def some(self, most: float) -> float:
        """A length of time up to ``most`` seconds, mostly short."""
        return most * self.random.random() ** 2

    async def pass_time(self, most: float) -> None:
        """Let up to ``most`` seconds pass; others run meanwhile."""
        await asyncio.sleep(self.some(most))

    def note(self, what: str, **details: Any) -> None:
        """Remember what happened, for who reads the trace of a failing seed."""
        loop = asyncio._get_running_loop()
        self._trace.append((loop.time() if loop else 0.0, what, details))

    def violated(self, what: str) -> None:
        """A property does not hold. The first violation counts and ends the schedule."""
        if self.violation is None:
            self.violation = what
            self.note(f"VIOLATED: {what}")
            self.broken.set()

    async def until(self, reached: Callable[[], bool], *, within: float, what: str) -> None:
        """Wait for what is owed; that it does not come within so many seconds is a violation."""
        deadline = asyncio.get_running_loop().time() + within
        while not reached() and not self.broken.is_set():
            if asyncio.get_running_loop().time() > deadline:
                self.violated(f"{what}: not within {within:.0f} s of calm")
            await asyncio.sleep(0.25)

    def trace(self) -> str:
        """The newest part of what happened, a line each."""
        lines = [
            f"{moment - 1_000.0:9.3f} {what} " + " ".join(f"{k}={v}" for k, v in details.items())
            for moment, what, details in self._trace[-LONGEST_TRACE:]
        ]
        return "\n".join(lines)


def run(schedule: Schedule, play: Play) -> Schedule:
    """Play one schedule on a loop of its own with virtual time; gives it back with its verdict."""

    def keep_log(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
        schedule.note(event.pop("event"), **event)
        raise structlog.DropEvent

    def unhandled(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # A fallen task is ours; futures and callbacks left over are aiokafka's when it is discarded
        if isinstance(context.get("future"), asyncio.Task):
            schedule.violated(f"nobody handled {context['exception']!r}")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(unhandled)
        await play(schedule)

    library, before = logging.getLogger("aiokafka"), structlog.get_config()
    loud = library.level
    library.setLevel(logging.CRITICAL)
    structlog.configure(processors=[keep_log], cache_logger_on_first_use=False)
    try:
        with virtual_time(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(main())
    finally:
        structlog.configure(**before)
        library.setLevel(loud)
    return schedule
