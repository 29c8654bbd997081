"""What the ledger runs on: the project's own processes and real servers, a proxy on every hop.

The registry is the source, with two apis and two workers (one relays, one stands by); relief is a
listener and a source of money; notify a listener. Each listener's group has two members.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import psutil

from deploy.local import fleet, provision, topics
from deploy.local import stack as local_stack
from deploy.local.layout import PROJECT, Layout
from deploy.local.postgres import PostgresServer
from deploy.local.processes import Processes, Program
from deploy.local.progress import Show
from deploy.local.provision import ServiceDatabase
from shared import crypto, migrations
from tests.ledger.brokers import INSIDE, Brokers, Ports
from tests.ledger.proxy import Proxies
from tests.support.ports import free_base, free_ports

SERVICES = ("registry", "relief", "notify")
APIS = ("registry-api-1", "registry-api-2", "relief-api-1")
WORKERS = tuple(f"{service}-worker-{number}" for service in SERVICES for number in (1, 2))
EXTRA = "relief-worker-3"
"""A member that comes and goes, to force rebalances."""
POSTGRES, KAFKA, CLIENTS = "postgresql", "kafka", "clients"
_FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"
_SUPERVISOR_WAITS = 1.0


def service_of(name: str) -> str:
    """``relief`` of ``relief-worker-2``."""
    return name.split("-", 1)[0]


@cache
def listens_to(service: str) -> dict[str, frozenset[str]]:
    """The types that a service's worker takes from each topic it subscribes to."""
    found: dict[str, frozenset[str]] = {}
    for each in import_module(f"services.{service}.worker").SUBSCRIPTIONS:
        found[each.topic.name] = found.get(each.topic.name, frozenset()) | each.types
    return found


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a stack is run; ``planted`` is a bug of tests/ledger/planted.py, put into workers."""

    nodes: int = 1
    planted: str | None = None


class Stack:
    """Starts everything, keeps it running, and knows how to hurt each part of it."""

    def __init__(self, home: Path, options: Options, show: Show) -> None:
        self.home = home
        self.layout = Layout(home=home, port=free_base())
        self.options = options
        self.show = show
        self.processes = Processes(home)
        self.clocks = Clocks(home / "clocks")
        self.unexpected: list[str] = []
        self._expected: set[str] = set()
        self._passwords = self.layout.passwords()
        names = (*APIS, *WORKERS, EXTRA)
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.postgres = PostgresServer(
            home / "disk-postgresql" / "server",
            self.processes,
            port=self.layout.postgres_port,
            password=self._passwords["postgres"],
        )
        nodes = _kafka_ports(options.nodes)
        self.brokers = Brokers(home / "disk-kafka", self.processes, nodes)
        self.proxies = Proxies(self._hops(nodes))
        self.databases: dict[str, ServiceDatabase] = {}
        self._programs: dict[str, Program] = {}

    def _hops(self, nodes: "list[Ports]") -> dict[str, tuple[int, int]]:
        wanted = [(f"{name}>{POSTGRES}", self.postgres.port) for name in self._ports]
        wanted += [(f"{CLIENTS}>{name}", self._ports[name]) for name in APIS]
        listening = free_ports(len(wanted))
        hops = {
            name: (port, upstream) for (name, upstream), port in zip(wanted, listening, strict=True)
        }
        for service in ("registry", "relief"):
            # where the layout says that the service's api is, so that officers' tools find it
            name = f"{CLIENTS}>{service}-api-1"
            hops[name] = (self.layout.api_port(service), hops[name][1])
        for number, node in enumerate(nodes):
            for service in SERVICES:
                listener = service.upper()
                pair = (node.advertised[listener], node.bound[listener])
                hops[f"{service}>{KAFKA}-{number}"] = pair
        return hops

    @property
    def admin_url(self) -> str:
        """The superuser's address, past the proxies."""
        return self.postgres.admin_url

    def database_url(self, service: str) -> str:
        """The superuser's address of a service's database, past the proxies."""
        return urlunsplit(urlsplit(self.admin_url)._replace(path=f"/{service}"))

    def api_url(self, name: str) -> str:
        """Where clients find an api: its proxy."""
        return f"http://127.0.0.1:{self.proxies.ports[f'{CLIENTS}>{name}']}"

    def metrics_url(self, name: str) -> str:
        """A worker's metrics, past the proxies."""
        return f"http://127.0.0.1:{self._ports[name]}/metrics"

    async def start(self) -> None:
        """Bring everything up; the databases are migrated and hold the reference data."""
        self.processes.logs.mkdir(parents=True, exist_ok=True)
        await self.proxies.start(PROJECT, self.processes.log_of("proxies"))
        for service in SERVICES:
            crypto.new_key_file(self.layout.key_file(service))
        self.processes.start(fleet.issuer(self.layout))
        async with asyncio.TaskGroup() as both:
            both.create_task(self._start_kafka())
            both.create_task(self._start_postgres())

    async def _start_kafka(self) -> None:
        async with self.show.step(f"Apache Kafka, {self.options.nodes} node(s)"):
            await self.brokers.prepare()
            await self.brokers.start()
            await topics.create(self.brokers.address)

    async def _start_postgres(self) -> None:
        async with self.show.step("PostgreSQL with three services' databases"):
            await self.postgres.prepare()
            await self.postgres.start()
            await provision.provision(self.admin_url, self._passwords)
            for service in SERVICES:
                found = provision.addresses(self.admin_url, service, self._passwords)
                self.databases[service] = found
                await asyncio.to_thread(migrations.upgrade, service, found.owner_url)
                await local_stack.load_reference_data(found)

    async def start_services(self) -> None:
        """Start every api and worker but the extra one, and wait until each is ready."""
        self._programs = {name: self._program(name) for name in self._ports}
        async with self.show.step("three apis, six workers"):
            for name in (*APIS, *WORKERS):
                self.processes.start(self._programs[name])
            for name in (*APIS, *WORKERS):
                await self.until_ready(name)

    async def until_ready(self, name: str, *, seconds: float = 120) -> None:
        """Wait until a process says that it is ready."""
        url = f"http://127.0.0.1:{self._ports[name]}/readyz"
        async with asyncio.timeout(seconds), httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    if (await client.get(url)).is_success:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.2)

    def _program(self, name: str) -> Program:
        service, kind = name.split("-")[:2]
        database, hop = self.databases[service], self.proxies.ports[f"{name}>{POSTGRES}"]
        told = fleet.environment(self.layout, service) | {
            "BANGFU_KAFKA_BOOTSTRAP_SERVERS": self.brokers.address_of(service.upper()),
            "BANGFU_DATABASE_POOL_SIZE": "8",
            "BANGFU_LOG_LEVEL": "WARNING" if kind == "api" else "INFO",
        }
        if kind == "api":
            port = self._ports[name]
            told["BANGFU_API_DATABASE_URL"] = _through(database.api_url, hop)
            argv = fleet.uvicorn_command(f"services.{service}.main:create", port)
        else:
            told["BANGFU_WORKER_PORT"] = str(self._ports[name])
            told["BANGFU_WORKER_DATABASE_URL"] = _through(database.worker_url, hop)
            argv = self._worker(f"services.{service}.worker")
            told |= self.clocks.environment(name)
        return Program(name=name, argv=argv, env=fleet.surroundings() | told)

    def _worker(self, module: str) -> list[str]:
        if self.options.planted is None:
            return [sys.executable, "-m", module]
        return [sys.executable, "-m", "tests.ledger.planted", self.options.planted, module]

    async def supervise(self) -> None:
        """Start again, after a moment, what ended: killed by a fault, or by itself. Endless."""
        while True:
            for program, code in self.processes.ended():
                if program.name in self._programs and program.name not in self._expected:
                    if code != -signal.SIGKILL:
                        self.unexpected.append(f"{program.name} ended with code {code}")
                    asyncio.get_running_loop().call_later(
                        _SUPERVISOR_WAITS, self.processes.start, program
                    )
            await asyncio.sleep(0.2)

    def start_extra(self) -> None:
        """The extra member joins its group."""
        self._expected.discard(EXTRA)
        self.processes.start(self._programs[EXTRA])

    async def stop_extra(self) -> None:
        """The extra member leaves as told."""
        self._expected.add(EXTRA)
        await self.processes.stop(EXTRA)

    def send(self, name: str, what: signal.Signals) -> None:
        """A signal to a service's process; one that is just being started gets none."""
        pid = self.processes.pid_of(name)
        if pid is not None:
            os.kill(pid, what)

    async def relay_owner(self, service: str) -> str:
        """The worker of this service that relays now; the first one where nobody says so."""
        names = [name for name in WORKERS if service_of(name) == service]
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            for name in names:
                try:
                    said = (await client.get(self.metrics_url(name))).text
                except httpx.TransportError:
                    continue
                if f'bangfu_relay_active{{service="{service}"}} 1.0' in said:
                    return name
        return names[0]

    async def command(self, service: str, *arguments: str) -> None:
        """Run a service's own command past the proxies, as an operator would."""
        told = fleet.surroundings() | fleet.environment(self.layout, service)
        told |= {
            "BANGFU_KAFKA_BOOTSTRAP_SERVERS": self.brokers.address,
            "BANGFU_WORKER_DATABASE_URL": self.databases[service].worker_url,
        }
        log = self.processes.log_of("commands")
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"services.{service}", *arguments,
                cwd=PROJECT, env=told, stdout=output, stderr=output,
            )  # fmt: skip
        if await process.wait() != 0:
            raise RuntimeError(f"{service} {' '.join(arguments)} failed: see {log}")

    def peak_memory(self) -> dict[str, int]:
        """The peak resident memory of every process that runs now, in MB."""
        found = {}
        for name in (*APIS, *WORKERS):
            pid = self.processes.pid_of(name)
            if pid is not None:
                status = Path(f"/proc/{pid}/status").read_text()
                peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
                found[name] = int(peak.split()[1]) // 1024
        return found

    async def stop(self) -> None:
        """End everything, frozen or not."""
        for child in psutil.Process().children(recursive=True):
            child.resume()
        for name in self._programs:
            self._expected.add(name)
        await self.processes.stop(patience=10)
        await self.proxies.stop()


class Clocks:
    """Wrong clocks for chosen workers: libfaketime reads how wrong from a file of each."""

    CHOSEN = ("registry-worker-1", "registry-worker-2", "relief-worker-1", "notify-worker-1")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = sorted(Path("/").glob(_FAKETIME.lstrip("/")))
        self.library = found[0] if found else None

    def environment(self, name: str) -> dict[str, str]:
        """What a process with a clock of its own is told."""
        if self.library is None or name not in self.CHOSEN:
            return {}
        self.move(name, 0)
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self._folder / name),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",
        }

    def move(self, name: str, hours: int) -> None:
        """From now on this process's clock is so many hours wrong."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_text(f"{hours:+d}h\n")


def _kafka_ports(count: int) -> list[Ports]:
    found = []
    for _ in range(count):
        names = (INSIDE, *(service.upper() for service in SERVICES))
        ports = free_ports(2 * len(names))
        bound = dict(zip(names, ports, strict=False))
        advertised = dict(zip(names[1:], ports[len(names) :], strict=False))
        found.append(
            Ports(
                controller=ports[-1],
                bound=bound,
                advertised=advertised | {INSIDE: bound[INSIDE]},
            )
        )
    return found


def _through(url: str, port: int) -> str:
    """The same address through a proxy."""
    parts = urlsplit(url)
    login = parts.netloc.rsplit("@", 1)[0]
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))


@asynccontextmanager
async def disks(home: Path, sizes: Mapping[str, str]) -> AsyncIterator[bool]:
    """Small volumes under ``home`` that can be filled; False where this machine mounts none."""
    mounted: list[Path] = []
    try:
        for name, size in sizes.items():
            folder = home / f"disk-{name}"
            folder.mkdir(parents=True)
            done = await asyncio.to_thread(_mount, folder, size)
            if done:
                mounted.append(folder)
        yield len(mounted) == len(sizes)
    finally:
        for folder in mounted:
            await asyncio.to_thread(_unmount, folder)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], check=False)


def _mount(folder: Path, size: str) -> bool:
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        return False
    order = [mount, "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)]
    return subprocess.run(order, capture_output=True, check=False).returncode == 0
