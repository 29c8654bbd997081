"""A service's real processes, as `make up` starts them, for tests that stop and kill them."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from shared.settings import Settings
from tests.support.services import environment
from tests.support.waiting import until

HOUSE = Path(__file__).parents[2]


@dataclass(slots=True)
class Running:
    """The api and worker processes of one service; ``house`` is the tree they run from."""

    settings: Settings
    log: Path
    house: Path = HOUSE
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    async def start_worker(self) -> None:
        """Start the worker and wait until it says that it is ready."""
        self._start("worker", "-m", f"services.{self.settings.service}.worker")
        await self._ready("worker", self.settings.worker_port)

    async def start_api(self) -> None:
        """Start the api and wait until it says that it is ready."""
        main = f"services.{self.settings.service}.main:create"
        port = str(self.settings.api_port)
        self._start("api", "-m", "uvicorn", "--factory", main, "--port", port, "--no-access-log")
        await self._ready("api", self.settings.api_port)

    def kill(self, name: str) -> None:
        """End a process as a power cut would: SIGKILL, no word of farewell."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def stop(self, name: str) -> int:
        """Ask a process to end and wait for it; gives its exit code."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(timeout=30)

    def kill_all(self) -> None:
        """Leave nothing behind."""
        for name in list(self._processes):
            self.kill(name)

    def _start(self, name: str, *arguments: str) -> None:
        inherited = {key: value for key, value in os.environ.items() if "BANGFU" not in key}
        with self.log.open("ab") as output:
            self._processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.house,
                env=inherited | environment(self.settings) | {"PYTHONPATH": str(self.house)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def _ready(self, name: str, port: int) -> None:
        async def answers() -> bool:
            process = self._processes[name]
            assert process.poll() is None, f"{name} ended:\n{self.log.read_text()[-3000:]}"
            try:
                async with httpx.AsyncClient() as client:
                    answer = await client.get(f"http://127.0.0.1:{port}/readyz")
            except httpx.TransportError:
                return False
            return answer.status_code == httpx.codes.OK

        await until(answers, what=f"{self.settings.service} {name} ready ({self.log})", seconds=60)


@asynccontextmanager
async def running(settings: Settings, folder: Path) -> AsyncIterator[Running]:
    """A service to start and kill at will; whatever of it still runs at the end is killed."""
    service = Running(settings, folder / f"{settings.service}.log")
    try:
        yield service
    finally:
        service.kill_all()
