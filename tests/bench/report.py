"""The table at the end, and the same as JSON."""

from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from tests.bench.measuring import Measured


def show(console: Console, measured: Sequence[Measured]) -> None:
    """Print the table, then what stands beside it: other figures, memory, the machine."""
    table = Table(title="ours / baseline = ratio (medians, runs in turn on this machine)")
    for name in ("row", "unit", "ours", "baseline", "ratio", "bound", "reached", "aim", "reached"):
        table.add_column(name, justify="left" if name in {"row", "unit"} else "right")
    for each in measured:
        table.add_row(*_cells(each))
    console.print(table)
    for each in measured:
        for text in _beside(each):
            console.print(f"  {each.row}: {text}", highlight=False)


def _cells(each: Measured) -> list[str]:
    goal, sign = each.goal, "<=" if each.goal.at_most else ">="
    return [
        each.row,
        each.unit,
        f"{each.ours:,.1f}",
        f"{each.baseline:,.1f}",
        f"{each.ratio:.3f}",
        f"{sign} {goal.at_least}",
        _said(goal.reached(each.ratio, goal.at_least)),
        f"{sign} {goal.aim}",
        _said(goal.reached(each.ratio, goal.aim)),
    ]


def _said(reached: bool) -> str:
    return "[green]yes[/]" if reached else "[red]no[/]"


def _beside(each: Measured) -> list[str]:
    lines = [f"UNFAIR: {each.unfair}"] if each.unfair else []
    lines += [f"TOO LARGE: {each.too_large}"] if each.too_large else []
    if each.more:
        lines.append(", ".join(f"{name} {value:,.1f}" for name, value in each.more.items()))
    if each.peaks:
        sizes = sorted(each.peaks.items(), key=lambda peak: -peak[1])
        lines.append("peak MB: " + ", ".join(f"{name} {size}" for name, size in sizes))
    if each.probe:
        lines.append(f"machine: {each.probe}")
    return lines


def write(path: Path, measured: Sequence[Measured]) -> None:
    """Write the rows as a JSON list."""
    lines = [each.as_json() for each in measured]
    path.write_bytes(orjson.dumps(lines, option=orjson.OPT_INDENT_2) + b"\n")
