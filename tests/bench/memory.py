"""Peak memory of every process of a run: the kernel's own high-water mark (VmHWM), by name."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

_EVERY_SECONDS = 0.5
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_RESET = "5"


class Memory:
    """The peaks in megabytes since ``restart``, of this process and all that it started.

    Processes of one kind (PostgreSQL's backends) stand under one name, with the largest of them.
    Pages that processes share, such as PostgreSQL's buffers, count in each.
    """

    def __init__(self) -> None:
        self.peaks: dict[str, int] = {}

    def restart(self) -> None:
        """Forget the peaks, in the kernel as well."""
        self.peaks = {}
        for process in _family():
            with contextlib.suppress(OSError):  # ended meanwhile, or not ours to reset
                Path(f"/proc/{process.pid}/clear_refs").write_text(_RESET)

    def look(self) -> None:
        """Read the marks of everything that runs now."""
        for process in _family():
            with contextlib.suppress(OSError, psutil.NoSuchProcess):
                name = _name(process)
                self.peaks[name] = max(self.peaks.get(name, 0), _peak_of(process.pid))

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look twice a second, so that a process which ends is not missed."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch
            self.look()

    async def _watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(_EVERY_SECONDS)


def _family() -> list[psutil.Process]:
    own = psutil.Process()
    return [own, *own.children(recursive=True)]


def _peak_of(pid: int) -> int:
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


def _name(process: psutil.Process) -> str:
    words = process.cmdline()
    line = " ".join(words)
    if "kafka.Kafka" in line:
        return "kafka"
    if "postgres" in line.split(" ", 1)[0]:
        return "postgresql"
    for at, word in enumerate(words):
        if word == "--factory":
            return words[at + 1].partition(":")[0]
        if word == "-m" and words[at + 1] != "uvicorn":
            return words[at + 1]
    return process.name()
