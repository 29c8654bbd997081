"""What one row of the table is: all that a module in ``rows/`` has to give.

A module there holds ``ROWS: tuple[Row, ...]``. The harness opens a row, runs baseline and ours in
turn, takes medians and judges; a row knows only how to do each side once::

    @asynccontextmanager
    async def _open(bench: Bench, scale: float) -> AsyncIterator[Sides]:
        async with bench.database("relief") as database:  # migrated, its own
            ...  # fill it with scale x the row's data; start processes with bench.start
            yield Sides(ours=..., baseline=...)


    ROWS = (Row(name="apply", unit="events/s", goal=Goal(at_least=0.5, aim=0.7), open=_open),)
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from tests.bench.machine import Bench


@dataclass(frozen=True, kw_only=True)
class Run:
    """One side done once. ``value`` is in the row's unit, ``cost`` in seconds an item.

    ``seconds`` is how long it took (past 60 s a row is run three times, not five). ``more`` is
    shown beside the table (``{"p50 ms": 12.0}``).
    """

    value: float
    cost: float
    seconds: float
    more: Mapping[str, float] = field(default_factory=dict)


def rate(items: int, seconds: float, **more: float) -> Run:
    """A run whose value is items a second."""
    return Run(value=items / seconds, cost=seconds / items, seconds=seconds, more=more)


Side = Callable[[], Awaitable[Run]]
"""Does its work once; whatever has to be laid out for it is done inside, outside its clock."""


@dataclass(frozen=True, kw_only=True)
class Sides:
    """An opened row. Both may be called any number of times and must find equal conditions."""

    ours: Side
    baseline: Side


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Where ours / baseline has to be, and where we want it.

    ``at_least`` and ``aim`` are lower bounds of a rate; with ``at_most`` True they are upper bounds
    of a delay or a cost.
    """

    at_least: float
    aim: float
    at_most: bool = False

    def reached(self, ratio: float, bound: float) -> bool:
        """Whether ``ratio`` keeps ``bound``."""
        return ratio <= bound if self.at_most else ratio >= bound


Opening = Callable[[Bench, float], AbstractAsyncContextManager[Sides]]
"""``open(bench, scale)``: the row with 1.0 or 0.1 of its data. Both may be open at once."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    ``figure`` is what the baseline reached on the machine of the design's measurements, in the same
    unit: a baseline below half of it is called unfair unless this machine is that much slower.
    ``most_megabytes`` bounds the peak memory of every process while the row runs.
    """

    name: str
    unit: str
    goal: Goal
    open: Opening
    figure: float | None = None
    grows: bool = True
    most_megabytes: int | None = None

    def answers_to(self, wanted: str) -> bool:
        """``propagation`` means ``propagation-300`` and ``propagation-500``."""
        return self.name == wanted or self.name.startswith(f"{wanted}-")
