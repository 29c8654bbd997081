"""Shows the start step by step: a live line each on a terminal, plain lines elsewhere."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_SAID_AFTER = 1.0
_SAID_AGAIN = 10.0


class Step:
    """One step under way; ``tell`` moves its bar."""

    def __init__(self, show: "Show", name: str) -> None:
        self._show = show
        self.name = name
        self.done: int | None = None
        self.total: int | None = None
        self.note = ""
        self.task: TaskID | None = None

    def tell(self, done: int, total: int | None) -> None:
        """So many of so many are done."""
        self.done, self.total = done, total
        self._show.update(self)


class Show:
    """The steps of a start, several at once if need be."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._live = (
            Progress(
                SpinnerColumn(finished_text="✓"),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[counted]}"),
                TimeElapsedColumn(),
                console=self.console,
                transient=True,
            )
            if self.console.is_terminal
            else None
        )

    def line(self, text: str) -> None:
        """One line that stays."""
        self.console.print(text, markup=False)

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[Step]:
        """A step with its seconds; what lasts longer than one second is shown while it runs."""
        step = Step(self, name)
        if self._live is not None:
            step.task = self._live.add_task(name, total=None, counted="", visible=False)
        started = time.perf_counter()
        watch = asyncio.create_task(self._watch(step, started))
        try:
            yield step
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            self._forget(step)
        note = f", {step.note}" if step.note else ""
        self.line(f"  ✓ {name}{note} ({time.perf_counter() - started:.1f} s)")

    def update(self, step: Step, *, visible: bool | None = None) -> None:
        """Bring a step's live line up to date."""
        if self._live is not None and step.task is not None:
            self._live.update(
                step.task,
                completed=step.done or 0,
                total=step.total,
                counted=_counted(step),
                visible=visible,
            )

    async def _watch(self, step: Step, started: float) -> None:
        await asyncio.sleep(_SAID_AFTER)
        if self._live is not None:
            self._live.start()
            self.update(step, visible=True)
            return
        while True:
            self.line(f"  … {step.name} {_counted(step)} {time.perf_counter() - started:.0f} s")
            await asyncio.sleep(_SAID_AGAIN)

    def _forget(self, step: Step) -> None:
        if self._live is None or step.task is None:
            return
        self._live.remove_task(step.task)
        if not self._live.tasks:
            self._live.stop()


def _counted(step: Step) -> str:
    if step.done is None:
        return ""
    return f"{step.done:,} of {step.total:,}" if step.total else f"{step.done:,}"
