"""The whole of `make up`, once with the sample county: the slowest tests of this folder."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.local.layout import PROJECT, Layout
from tests.support.ports import free_base
from tests.support.waiting import until

START_SECONDS = 300


class Launcher:
    """`make up` as a process, leading its own group as it does under a terminal."""

    def __init__(self, place: Layout, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "up", "--no-sample", *options],
            cwd=PROJECT,
            env=environment(place),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []

    def read_until(self, word: str) -> None:
        """Read its output up to a line that holds ``word``."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if word in line:
                return
        raise AssertionError(f"it ended without saying {word!r}: {''.join(self.said)}")

    def rest(self) -> str:
        """What it says until it ends."""
        out, _ = self.process.communicate(timeout=120)
        return str(out)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Layout]:
    """A home and ports of this test's own; whatever fails, nothing of it goes on running."""
    layout = Layout(home=tmp_path / "home", port=free_base())
    yield layout
    command(layout, "down")


def environment(place: Layout) -> dict[str, str]:
    ours = {"BANGFU_HOME": str(place.home), "BANGFU_PORT": str(place.port)}
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BANGFU_", "KAFKA_BOOTSTRAP"))
    }
    return kept | ours


def command(place: Layout, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", *words],
        cwd=PROJECT,
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alive(place: Layout) -> list[str]:
    """Every process that works for this home: named by its folder in its command or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
            if process.pid != os.getpid() and any(str(place.home) in word for word in words):
                found.append(" ".join(process.cmdline())[:80])
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


async def test_a_life_with_crashes_and_a_ctrl_c_at_its_end(place: Layout) -> None:
    first = Launcher(place)
    first.read_until("Bangfu is up")
    async with httpx.AsyncClient(trust_env=False) as client:
        for port in place.ports():
            if port in range(place.port + 10, place.port + 13):
                continue
            assert (await client.get(f"{place.address(port)}/readyz")).status_code == 200, port
    assert "Bangfu is up already" in command(place, "up", "--no-sample")

    first.process.send_signal(signal.SIGKILL)
    first.rest()
    assert len(alive(place)) >= 15

    second = Launcher(place)
    second.read_until("stopped what an earlier start left running")
    second.read_until("Bangfu is up")
    await _crashes_are_repaired(place, second)

    os.killpg(second.process.pid, signal.SIGINT)
    assert second.rest().rstrip().endswith("Bangfu is down")
    assert second.process.returncode == 0
    assert alive(place) == []


async def _crashes_are_repaired(place: Layout, launcher: Launcher) -> None:
    (victim,) = [
        process
        for process in psutil.process_iter(["cmdline"])
        # what has just ended has no command line any more
        if "services.relief.worker" in (process.info["cmdline"] or ())
        and process.environ().get("BANGFU_WORKER_PORT") == str(place.worker_port("relief"))
    ]
    victim.kill()
    launcher.read_until("relief-worker ended with code -9, starts again in 1 s")

    async def ready() -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                address = place.address(place.worker_port("relief"))
                return (await client.get(f"{address}/readyz")).is_success
            except httpx.HTTPError:
                return False

    await until(ready, what="relief's worker to be ready again", seconds=60)


def test_ctrl_c_during_the_start_leaves_nothing_behind(place: Layout) -> None:
    launcher = Launcher(place)
    launcher.read_until("PostgreSQL on port")

    os.killpg(launcher.process.pid, signal.SIGINT)

    assert launcher.rest().rstrip().endswith("Bangfu is down")
    assert launcher.process.returncode == 130
    assert alive(place) == []


def test_a_detached_start_shows_the_county_and_down_ends_it(place: Layout) -> None:
    # through a pipe, which nothing that goes on running may keep open
    said = command(place, "up", "--detach")
    assert "registry  1,183 households, 3,453 people on assistance in 331124" in said
    assert "relief    452 households on dibao in " in said
    assert ", 451 of them above zero: 547,547.00 yuan" in said
    assert "Bangfu is up" in said
    assert httpx.get(f"{place.api('registry')}/readyz", trust_env=False).status_code == 200
    issued = command(place, "token", "--scopes", "registry.parameters:read").strip()
    answer = httpx.get(
        f"{place.api('registry')}/v1/parameters",
        headers={"Authorization": f"Bearer {issued}"},
        trust_env=False,
    )
    assert answer.status_code == 200
    # the operators' commands of a service, in this stack
    assert "unsent: 0" in command(place, "run", "relief", "events", "status")

    assert "Bangfu is down" in command(place, "down")
    assert alive(place) == []
    assert command(place, "down") == "nothing is running\n"
