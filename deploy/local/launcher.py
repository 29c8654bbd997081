"""`make up` and `make down`: one stack a home folder, in the foreground or detached."""

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from deploy.local import failures, layout, preflight, sample
from deploy.local.failures import CannotStartError
from deploy.local.layout import Layout
from deploy.local.processes import Processes, still_there
from deploy.local.progress import Show
from deploy.local.provision import SERVICES
from deploy.local.stack import Stack

_DOWN_SECONDS = 90.0
_HURRY_AFTER = 1.0


def up(place: Layout, *, with_sample: bool, ready_pipe: int | None = None) -> int:
    """Start, say so, stay until told to end; returns the exit code.

    ``ready_pipe`` belongs to the caller that waits for a detached launcher.
    """
    show = Show()
    try:
        preflight.refuse_full_disk(place)
        with _only_launcher(place) as first:
            if not first:
                return _already_up(place, show)
            return asyncio.run(_live(place, show, with_sample=with_sample, ready_pipe=ready_pipe))
    except CannotStartError as failed:
        show.line(f"Bangfu cannot start: {failed}")
    except Exception as failed:  # noqa: BLE001 (whoever runs make wants a line, not a traceback)
        show.line(f"Bangfu cannot start: {_unforeseen(place, failed)}")
    return 1


def _unforeseen(place: Layout, failed: Exception) -> str:
    """One line for what nobody thought of; the traceback goes to a log, not to the screen."""
    told = _telling(failed)
    if isinstance(told, CannotStartError):
        return str(told)
    if isinstance(told, OSError) and failures.is_disk_full(told):
        return str(failures.disk_full(place.home))
    log = place.home / "logs" / "launcher.log"
    with contextlib.suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            traceback.print_exception(failed, file=file)
    first = " ".join(str(told).split())[:300]
    return f"{type(told).__name__}: {first} (all of it: {log})"


def _telling(failed: BaseException) -> BaseException:
    """Of errors that came as a group, from what ran side by side, the one that says most."""
    if not isinstance(failed, BaseExceptionGroup):
        return failed
    each = [_telling(one) for one in failed.exceptions]
    return next((one for one in each if isinstance(one, CannotStartError)), each[0])


def up_detached(*, with_sample: bool) -> int:
    """As ``up``, but return when ready and leave a launcher behind that `make down` ends."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "deploy.local", "up", f"--ready-pipe={writing}"]
    if not with_sample:
        command.append("--no-sample")
    launcher = subprocess.Popen(
        command, pass_fds=[writing], start_new_session=True, stdin=subprocess.DEVNULL
    )
    os.close(writing)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: launcher.terminate())
    with open(reading, "rb") as pipe:  # noqa: PTH123 (a descriptor has no path)
        ready = pipe.read(1)
    return 0 if ready else launcher.wait()


def down(place: Layout) -> int:
    """Stop the launcher of this home and whatever a killed one left; returns the exit code."""
    show = Show()
    if not place.home.exists():
        show.line("nothing is running")
        return 0
    stopped = _end_launcher(place, show)
    left = asyncio.run(Processes(place.home).stop_leftovers())
    if left:
        show.line(f"stopped what an earlier start left running: {', '.join(left)}")
    show.line("Bangfu is down" if stopped or left else "nothing is running")
    return 0


async def _live(place: Layout, show: Show, *, with_sample: bool, ready_pipe: int | None) -> int:
    return await _Life(place, show, with_sample=with_sample, ready_pipe=ready_pipe).run()


class _Life:
    """A launcher's life: start, tell, watch; whatever ends it, nothing stays behind."""

    def __init__(
        self, place: Layout, show: Show, *, with_sample: bool, ready_pipe: int | None
    ) -> None:
        self._place = place
        self._show = show
        self._with_sample = with_sample
        self._ready_pipe = ready_pipe
        self._stack = Stack(place, show)
        self._asked_at: float | None = None
        self._hurry = asyncio.Event()
        self._ready = False

    async def run(self) -> int:
        """The exit code: 0 when ended on request after it was up, 130 when stopped before."""
        self._place.note(port=self._place.port, ready=False)
        life = asyncio.create_task(self._start_and_watch())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._end, life)
        try:
            await life
        except asyncio.CancelledError:
            self._show.line("stopping …")
        finally:
            await self._stop()
        self._show.line("Bangfu is down")
        return 0 if self._ready else 130

    def _end(self, life: "asyncio.Task[None]") -> None:
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            # connections that are cut off half-way complain; nobody needs to read that
            life.get_loop().set_exception_handler(lambda *_: None)
            life.cancel()
        elif time.monotonic() - self._asked_at > _HURRY_AFTER:
            # make and the terminal may both deliver one Ctrl-C; a later one is a second wish
            self._hurry.set()

    async def _start_and_watch(self) -> None:
        started = time.perf_counter()
        await self._stack.start()
        if self._with_sample:
            await sample.load(self._place, self._show)
        self._show.line("")
        self._show.line(f"Bangfu is up ({time.perf_counter() - started:.0f} s)")
        tell_addresses(self._place, self._show)
        self._ready = True
        self._place.note(ready=True)
        if self._ready_pipe is None:
            self._show.line("Ctrl-C ends it; logs are in " + str(self._stack.processes.logs))
        else:
            self._let_go(self._ready_pipe)
        await self._stack.watch()

    def _let_go(self, pipe: int) -> None:
        """Tell the waiting `make up`, and write to a log from here on: its terminal may close."""
        log = self._stack.processes.log_of("launcher")
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        sys.stdout.flush()
        for stream in (1, 2):
            os.dup2(output, stream)
        os.close(output)
        os.write(pipe, b"1")
        os.close(pipe)

    async def _stop(self) -> None:
        stopping = asyncio.create_task(self._stack.stop())
        hurried = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({stopping, hurried}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            self._stack.processes.kill()
        hurried.cancel()
        await stopping


def tell_addresses(place: Layout, show: Show) -> None:
    """The table of what listens where."""
    rows = [
        (
            service,
            place.api(service),
            f"{place.api(service)}/docs",
            place.address(place.worker_port(service)),
        )
        for service in SERVICES
    ]
    show.line(f"  {'service':<12}{'api':<25}{'its documentation':<30}worker (/metrics)")
    for name, api, docs, worker in rows:
        show.line(f"  {name:<12}{api:<25}{docs:<30}{worker}")
    show.line(f"  {'console':<12}{place.api('notify')}/")
    show.line(f"  {'issuer':<12}{place.issuer:<25}(a token: make token)")
    show.line(f"  {'sources':<12}{place.address(place.sources_port)}")
    show.line(f"  {'Kafka':<12}{place.bootstrap}")
    postgres = "your own" if place.postgres_url else f"127.0.0.1:{place.postgres_port}"
    show.line(f"  {'PostgreSQL':<12}{postgres}")


@contextmanager
def _only_launcher(place: Layout) -> Iterator[bool]:
    """False when another launcher lives in this home; its lock ends with it, however it ends."""
    with (place.home / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            yield True


def _launcher_of(place: Layout) -> psutil.Process | None:
    """Who holds the lock, by the pid in it; None in the moment before it is written."""
    try:
        return psutil.Process(int((place.home / "lock").read_text()))
    except (ValueError, psutil.NoSuchProcess):
        return None


def _already_up(place: Layout, show: Show) -> int:
    running = layout.noted(place.home)
    if running.get("port", place.port) != place.port:
        raise CannotStartError(
            f"{place.home} is in use by a stack on port {running['port']}: `make down` ends it, or "
            f"give this one a folder of its own with BANGFU_HOME=/another/folder"
        )
    state = "up" if running.get("ready") else "starting"
    show.line(f"Bangfu is {state} already; `make down` ends it")
    tell_addresses(place, show)
    return 0


def _end_launcher(place: Layout, show: Show) -> bool:
    with _only_launcher(place) as nobody_there:
        if nobody_there:
            return False
    deadline = time.monotonic() + _DOWN_SECONDS
    while (launcher := _launcher_of(place)) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if launcher is None:
        return False
    launcher.send_signal(signal.SIGTERM)
    show.line(f"stopping the launcher, pid {launcher.pid} …")
    while still_there(launcher) and time.monotonic() < deadline:
        time.sleep(0.02)
    if still_there(launcher):
        launcher.kill()
    return True
