"""Runs a row: baseline and ours in turn, medians, growth, memory, and whether all of it holds."""

import statistics
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from tests.bench.machine import Bench
from tests.bench.probe import Probe, probe
from tests.bench.row import Goal, Row, Run, Side

TIMES = 5
TIMES_WHEN_LONG = 3
LONG_SECONDS = 60.0
SMALL = 0.1
GROWTH = Goal(at_least=1.2, aim=1.1, at_most=True)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One line of the table. ``unfair`` and ``too_large`` say what else is wrong, or are empty."""

    row: str
    unit: str
    goal: Goal
    ours: float
    baseline: float
    runs: int
    ours_runs: Sequence[float] = ()
    baseline_runs: Sequence[float] = ()
    more: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    probe: str = ""
    unfair: str = ""
    too_large: str = ""

    @property
    def ratio(self) -> float:
        """Ours / baseline, of the medians."""
        return self.ours / self.baseline

    @property
    def holds(self) -> bool:
        """Whether "at least" is reached against a fair baseline within the memory allowed."""
        reached = self.goal.reached(self.ratio, self.goal.at_least)
        return reached and not self.unfair and not self.too_large

    def as_json(self) -> dict[str, Any]:
        """What BENCH_JSON holds of it; ratio is that of the figures beside it."""
        return {
            "row": self.row,
            "unit": self.unit,
            "ours": self.ours,
            "baseline": self.baseline,
            "ratio": self.ratio,
            "runs": self.runs,
            "ours_runs": list(self.ours_runs),
            "baseline_runs": list(self.baseline_runs),
            "at_least": self.goal.at_least,
            "aim": self.goal.aim,
            "holds": self.holds,
            "more": self.more,
            "peak_megabytes": self.peaks,
        }


@dataclass(kw_only=True)
class _Taken:
    ours: list[Run] = field(default_factory=list)
    baseline: list[Run] = field(default_factory=list)
    small: list[Run] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)


async def measure(
    bench: Bench, row: Row, *, times: int = TIMES, with_growth: bool, growth_alone: bool = False
) -> list[Measured]:
    """The row's line, then its line of growth; ``growth_alone`` leaves the baseline out."""
    taken = _Taken()
    bench.memory.restart()
    async with AsyncExitStack() as held:
        bench.tell(f"{row.name}: laying out its data")
        sides = await held.enter_async_context(row.open(bench, 1.0))
        small = None
        if with_growth and row.grows:
            small = await held.enter_async_context(row.open(bench, SMALL))
        while len(taken.ours) < _wanted(taken, times):
            taken.probes.append(probe(bench.folder))
            turn = f"{row.name} {len(taken.ours) + 1}/{_wanted(taken, times)}"
            if not growth_alone:
                taken.baseline.append(await _run(bench, row, f"{turn}: baseline", sides.baseline))
            taken.ours.append(await _run(bench, row, f"{turn}: ours", sides.ours))
            if small:
                taken.small.append(await _run(bench, row, f"{turn}: ours at 0.1x", small.ours))
        bench.memory.look()
    lines = [] if growth_alone else [_line(bench, row, taken)]
    return [*lines, _growth(row, taken)] if taken.small else lines


def _wanted(taken: _Taken, times: int) -> int:
    longest = max((run.seconds for run in (*taken.ours, *taken.baseline)), default=0.0)
    return min(times, TIMES_WHEN_LONG) if longest > LONG_SECONDS else times


async def _run(bench: Bench, row: Row, what: str, side: Side) -> Run:
    run = await side()
    more = "".join(f", {name} {value:,.1f}" for name, value in run.more.items())
    bench.tell(f"{what} {run.value:,.1f} {row.unit} in {run.seconds:.1f} s{more}")
    return run


def _line(bench: Bench, row: Row, taken: _Taken) -> Measured:
    baseline = statistics.median(run.value for run in taken.baseline)
    slowest = max(taken.probes, key=lambda each: each.slowdown)
    return Measured(
        row=row.name,
        unit=row.unit,
        goal=row.goal,
        ours=statistics.median(run.value for run in taken.ours),
        baseline=baseline,
        runs=len(taken.ours),
        ours_runs=[run.value for run in taken.ours],
        baseline_runs=[run.value for run in taken.baseline],
        more=_beside(taken),
        peaks=dict(bench.memory.peaks),
        probe=str(slowest),
        unfair=_unfair(row, baseline, slowest),
        too_large=_too_large(row, bench.memory.peaks),
    )


def _beside(taken: _Taken) -> dict[str, float]:
    sides = {"ours": taken.ours, "baseline": taken.baseline}
    return {
        f"{side} {name}": statistics.median(run.more[name] for run in runs)
        for side, runs in sides.items()
        for name in runs[0].more
    }


def _unfair(row: Row, baseline: float, slowest: Probe) -> str:
    """A weak baseline would flatter us: half of its figure, unless the machine is that slow."""
    if row.figure is None:
        return ""
    if row.goal.at_most:
        fair = baseline <= row.figure * 2 * slowest.slowdown
    else:
        fair = baseline >= row.figure / 2 / slowest.slowdown
    if fair:
        return ""
    return (
        f"the baseline reached {baseline:,.0f} {row.unit}, its figure is {row.figure:,.0f}, and "
        f"the machine does not explain it ({slowest})"
    )


def _too_large(row: Row, peaks: dict[str, int]) -> str:
    if row.most_megabytes is None:
        return ""
    over = [f"{name} {peak} MB" for name, peak in peaks.items() if peak > row.most_megabytes]
    return f"over {row.most_megabytes} MB: {', '.join(over)}" if over else ""


def _growth(row: Row, taken: _Taken) -> Measured:
    return Measured(
        row=f"growth-{row.name}",
        unit="us/item at 1x and 0.1x",
        goal=GROWTH,
        ours=statistics.median(run.cost for run in taken.ours) * 1e6,
        baseline=statistics.median(run.cost for run in taken.small) * 1e6,
        runs=len(taken.small),
        ours_runs=[run.cost * 1e6 for run in taken.ours],
        baseline_runs=[run.cost * 1e6 for run in taken.small],
    )
