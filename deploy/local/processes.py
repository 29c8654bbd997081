"""The processes of the local stack: started, written down, watched, stopped.

Every process is recorded with its pid and start time in ``processes.json``, so that a start after
``kill -9`` of the launcher finds what was left running and never stops a stranger that got the pid.
"""

import asyncio
import contextlib
import json
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from deploy.local import failures

STOP_SECONDS = 30.0
_LOG_LIMIT = 50_000_000
_CLOCK_TOLERANCE = 2.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run. ``user`` is an account to become; ``stop_signal`` is its polite end."""

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] | None = None
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM


class Processes:
    """The processes of one home folder; each one leads its own session, out of Ctrl-C's reach."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.logs = home / "logs"
        self._book = home / "processes.json"
        self._running: dict[str, tuple[Program, subprocess.Popen[bytes]]] = {}

    def start(self, program: Program) -> subprocess.Popen[bytes]:
        """Start a program with its output appended to its log, and write it down."""
        log = self.log_of(program.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in program.argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if program.env is None else dict(program.env),
                start_new_session=True,
                **_as_user(program.user),
            )
        self._running[program.name] = (program, process)
        self._write()
        return process

    def log_of(self, name: str) -> Path:
        """Where a process of this name writes."""
        return self.logs / f"{name}.log"

    def pid_of(self, name: str) -> int | None:
        """The pid of a process that was started here and has not ended."""
        process = self._running[name][1] if name in self._running else None
        return process.pid if process is not None and process.poll() is None else None

    def ended(self) -> list[tuple[Program, int]]:
        """Programs that ended without being asked to, with their exit codes; told once."""
        gone = [
            (program, code)
            for program, process in self._running.values()
            if (code := process.poll()) is not None
        ]
        for program, _ in gone:
            del self._running[program.name]
        return gone

    async def stop(self, *names: str, patience: float = STOP_SECONDS) -> None:
        """Ask the named processes (all, when none is named) to end; kill what stays.

        A name that has ended by itself, or was never started, is no error.
        """
        wanted = names or tuple(self._running)
        chosen = {name: self._running[name] for name in wanted if name in self._running}
        for program, process in chosen.values():
            if process.poll() is None:
                process.send_signal(program.stop_signal)
        await _until_gone([partial(_runs, process) for _, process in chosen.values()], patience)
        for name, (_, process) in chosen.items():
            if process.poll() is None:
                process.kill()
            process.wait()
            self._running.pop(name, None)
        self._write()

    def kill(self) -> None:
        """End everything at once, for someone who will not wait."""
        for _, process in self._running.values():
            process.kill()

    async def stop_leftovers(self) -> list[str]:
        """Stop what an earlier, killed launcher left running; returns the names of those."""
        left = _still_running(self._book)
        for process, entry in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(entry["stop_signal"])
        processes = [process for process, _ in left]
        await _until_gone([partial(still_there, process) for process in processes], STOP_SECONDS)
        for process in filter(still_there, processes):
            process.kill()
        await _until_gone([partial(still_there, process) for process in processes], STOP_SECONDS)
        self._book.unlink(missing_ok=True)
        return [entry["name"] for _, entry in left]

    def _write(self) -> None:
        entries = []
        for program, process in self._running.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                entries.append(
                    {
                        "name": program.name,
                        "pid": process.pid,
                        "started": psutil.Process(process.pid).create_time(),
                        "stop_signal": int(program.stop_signal),
                    }
                )
        write_whole(self._book, json.dumps(entries, indent=1))


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file so that a reader, or a start after a crash, sees all of it or the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=mode)
    fresh.write_text(text)
    fresh.replace(path)


async def run(
    argv: Sequence[str | Path],
    *,
    name: str,
    log: Path,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a command to its end, output in ``log``. Raises CannotStartError if it fails.

    If the caller is cancelled (Ctrl-C), the command and all it started are killed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *[str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            start_new_session=True,
            **_as_user(user),
        )
    try:
        code = await process.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if code != 0:
        raise failures.from_log(name, log, f"failed with code {code}")


def _as_user(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _runs(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


def still_there(process: psutil.Process) -> bool:
    """False for a zombie as well: a container's first process may never collect it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def _until_gone(alive: Sequence[Callable[[], bool]], patience: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while any(lives() for lives in alive) and loop.time() < deadline:  # noqa: ASYNC110 (processes set no event)
        await asyncio.sleep(0.02)


def _still_running(book: Path) -> list[tuple[psutil.Process, dict[str, Any]]]:
    try:
        entries = json.loads(book.read_text())
    except (FileNotFoundError, ValueError):
        return []
    found = []
    for entry in entries:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(entry["pid"])
            if abs(process.create_time() - entry["started"]) < _CLOCK_TOLERANCE:
                found.append((process, entry))
    return found
