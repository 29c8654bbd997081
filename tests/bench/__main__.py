"""``python -m tests.bench``: run the rows that BENCH names, print the table, exit 1 on a miss.

``BENCH_JSON`` names a file for the rows as JSON. Progress goes to the terminal line by line.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import uvloop
from rich.console import Console

from tests.bench import report, rows
from tests.bench.machine import running_bench
from tests.bench.measuring import Measured, measure


async def main(console: Console) -> int:
    """Run everything asked for; gives the exit code."""
    wanted = [name.strip() for name in os.environ.get("BENCH", "").split(",") if name.strip()]
    chosen = rows.picked(rows.known(), wanted)
    with_growth = not wanted or "growth" in wanted
    measured: list[Measured] = []

    def tell(text: str) -> None:
        console.log(text, highlight=False)

    with tempfile.TemporaryDirectory(prefix="bangfu-bench-", ignore_cleanup_errors=True) as home:
        async with running_bench(Path(home), tell) as bench:
            for row in chosen:
                measured += await measure(
                    bench, row, with_growth=with_growth, growth_alone=wanted == ["growth"]
                )
    report.show(console, measured)
    if place := os.environ.get("BENCH_JSON"):
        report.write(Path(place), measured)
    missed = [each.row for each in measured if not each.holds]
    if missed:
        console.print(f"[red]not reached:[/] {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(main(Console(log_path=False))))
