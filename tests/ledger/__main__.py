"""``make ledger`` and ``make ledger-selftest``: runs by seed, resumable."""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.local.progress import Show
from tests.ledger import checks
from tests.ledger.planted import BUGS, FORGETFUL_CLIENT, PROVOKED_BY, TOLD_BY
from tests.ledger.run import Order, Verdict, run

SELFTEST_MINUTES = 0.7
say = Console(soft_wrap=True, highlight=False, markup=False).print
cli = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
Kept = Annotated[Path | None, typer.Option(help="A file of one JSON line a seed; done ones stay.")]


@cli.command("run")
def one_run(
    *,
    seed: int = 1,
    minutes: float = 4.0,
    nodes: int = 1,
    rate: float = 60.0,
    calm: bool = False,
    only: Annotated[list[str] | None, typer.Option(help="Choose from these faults.")] = None,
    patience: float = 1.0,
) -> None:
    """One seed; the last line is its figures as JSON."""
    order = Order(
        seed=seed, minutes=minutes, nodes=nodes, rate=rate, calm=calm,
        only=tuple(only or ()), patience=patience,
    )  # fmt: skip
    sys.exit(0 if _do(order).green else 1)


@cli.command()
def seeds(
    *, first: int = 1, count: int = 20, minutes: float = 3.0, nodes: int = 1, kept: Kept = None
) -> None:
    """Seeds in a row; those already green in the file are not run again."""
    book = kept or Path(".bangfu") / f"ledger-{minutes:g}-minutes-{nodes}-nodes.jsonl"
    book.parent.mkdir(parents=True, exist_ok=True)
    done = _green_in(book)
    for seed in range(first, first + count):
        if seed in done:
            continue
        verdict = _do(Order(seed=seed, minutes=minutes, nodes=nodes))
        with book.open("a") as file:
            file.write(json.dumps(verdict.line) + "\n")
        if not verdict.green:
            sys.exit(f"seed {seed} is red: {book}")
    say(f"{count} seeds from {first} are green: {book}")


@cli.command()
def selftest(*, minutes: float = SELFTEST_MINUTES, bug: str | None = None) -> None:
    """Plant the bugs one at a time; each must turn the ledger red."""
    unseen = []
    for name in (*BUGS, FORGETFUL_CLIENT) if bug is None else (bug,):
        order = Order(
            seed=1,
            minutes=minutes,
            only=PROVOKED_BY[name],
            planted=name if name in BUGS else None,
            forgetful=name == FORGETFUL_CLIENT,
            households=40,
            given_up_after=20,
            patience=10,
        )
        seen = bool(_do(order).problems[TOLD_BY[name]])
        say(f"{f'red in {TOLD_BY[name]}, as it must be' if seen else 'NOT SEEN'}: {name}")
        unseen += [] if seen else [name]
    if unseen:
        sys.exit(f"the ledger did not see: {', '.join(unseen)}")


def _green_in(book: Path) -> set[int]:
    lines = book.read_text().splitlines() if book.exists() else []
    told = [json.loads(line) for line in lines]
    return {line["seed"] for line in told if line["green"]}


async def _until_told_to_stop(order: Order, home: Path, show: Show) -> Verdict:
    running = asyncio.current_task()
    if running is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await run(order, home, show)


def _do(order: Order) -> Verdict:
    show = Show()
    say(f"ledger: SEED={order.seed} MINUTES={order.minutes:g} NODES={order.nodes}")
    home = Path(tempfile.mkdtemp(prefix="bangfu-ledger-"))
    verdict = asyncio.run(_until_told_to_stop(order, home, show))
    verdict.line["green"] = verdict.green
    for problem in checks.shown(verdict.problems):
        say(f"  ✗ {problem}")
    if verdict.green:
        shutil.rmtree(home, ignore_errors=True)
    else:
        say(f"  kept for a look: {home}")
    say(json.dumps(verdict.line))
    return verdict


if __name__ == "__main__":
    cli()
