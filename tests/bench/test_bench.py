"""The harness end to end on a tiny row, on real servers: so that it cannot rot. Not timed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import orjson
import pytest
from rich.console import Console

from tests.bench import report, rows
from tests.bench.machine import Bench, running_bench
from tests.bench.measuring import GROWTH, Measured, measure
from tests.bench.probe import Probe
from tests.bench.row import Goal, Row, Run, Sides, rate


@asynccontextmanager
async def _tiny(bench: Bench, scale: float) -> AsyncIterator[Sides]:
    """Counts the rows that it wrote into a real database."""
    async with bench.database("registry") as database:
        connection = await asyncpg.connect(database.worker_url)

        async def ours() -> Run:
            items = int(1000 * scale)
            counted = await connection.fetchval(
                "SELECT count(*) FROM generate_series(1, $1)", items
            )
            return rate(counted, 0.5)

        async def baseline() -> Run:
            return rate(1000, 0.25)

        try:
            yield Sides(ours=ours, baseline=baseline)
        finally:
            await connection.close()


TINY = Row(name="tiny", unit="rows/s", goal=Goal(at_least=0.4, aim=0.6), open=_tiny)


async def test_a_row_is_measured_judged_and_reported(tmp_path: Path) -> None:
    said: list[str] = []
    async with running_bench(tmp_path, said.append) as bench:
        lines = await measure(bench, TINY, times=2, with_growth=True)
    row, growth = lines
    assert (row.row, row.ours, row.baseline, row.ratio, row.runs) == ("tiny", 2000, 4000, 0.5, 2)
    assert row.holds
    assert not row.goal.reached(row.ratio, row.goal.aim)
    # half a second for a tenth of the rows: each costs ten times less at full size
    assert growth.row == "growth-tiny"
    assert growth.ratio == pytest.approx(0.1)
    assert "postgresql" in row.peaks
    turns = [line.split(":")[1].split()[0] for line in said if line.startswith("tiny 1/2")]
    assert turns == ["baseline", "ours", "ours"]

    report.write(tmp_path / "rows.json", lines)
    (first, _) = orjson.loads((tmp_path / "rows.json").read_bytes())
    assert first | {"row": "tiny", "unit": "rows/s", "ratio": 0.5, "runs": 2} == first
    console = Console(record=True, width=160)
    report.show(console, lines)
    assert "tiny" in console.export_text()


def test_a_miss_an_unfair_baseline_and_a_large_process_do_not_hold() -> None:
    good = _measured(ours=5, baseline=10)
    assert good.holds
    assert not _measured(ours=3, baseline=10).holds
    assert not replace(good, unfair="too slow").holds
    assert not replace(good, too_large="over 600 MB").holds
    assert replace(good, goal=GROWTH, ours=11, baseline=10).holds
    assert not replace(good, goal=GROWTH, ours=13, baseline=10).holds


def test_a_slow_machine_explains_a_slow_baseline() -> None:
    assert Probe(loads_us=0.4, fdatasync_ms=0.05).slowdown == 1
    assert Probe(loads_us=1.6, fdatasync_ms=0.05).slowdown == pytest.approx(2)


def test_rows_are_picked_by_name_and_by_module() -> None:
    some = [replace(TINY, name=name) for name in ("write", "propagation-300", "propagation-500")]
    assert rows.picked(some, ["propagation", "growth"]) == some[1:]
    assert rows.picked(some, ["propagation-500"]) == some[2:]
    assert rows.picked(some, []) == rows.picked(some, ["growth"]) == some
    with pytest.raises(ValueError, match="no row"):
        rows.picked(some, ["wrote"])
    assert rows.known() == rows.picked(rows.known(), [])


def _measured(*, ours: float, baseline: float) -> Measured:
    goal = Goal(at_least=0.4, aim=0.6)
    return Measured(row="tiny", unit="rows/s", goal=goal, ours=ours, baseline=baseline, runs=2)
