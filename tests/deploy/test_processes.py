import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from deploy.local.failures import CannotStartError
from deploy.local.processes import Processes, Program, run

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


async def test_a_process_that_a_killed_launcher_left_is_found_and_stopped(tmp_path: Path) -> None:
    left = Processes(tmp_path).start(Program(name="sleeper", argv=SLEEPER))

    stopped = await Processes(tmp_path).stop_leftovers()

    assert stopped == ["sleeper"]
    assert left.wait(timeout=10) == -signal.SIGTERM
    assert await Processes(tmp_path).stop_leftovers() == []


async def test_a_stranger_that_got_the_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = await asyncio.create_subprocess_exec(*SLEEPER)
    try:
        entry = {
            "name": "sleeper",
            "pid": stranger.pid,
            "started": psutil.Process(stranger.pid).create_time() - 3600,
            "stop_signal": int(signal.SIGTERM),
        }
        (tmp_path / "processes.json").write_text(json.dumps([entry]))

        assert await Processes(tmp_path).stop_leftovers() == []
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_a_process_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    processes = Processes(tmp_path)
    process = processes.start(Program(name="deaf", argv=[sys.executable, "-u", "-c", deaf]))
    while "deaf" not in processes.log_of("deaf").read_text():
        assert process.poll() is None

    await processes.stop(patience=0.2)

    assert process.returncode == -signal.SIGKILL


async def test_an_ended_process_is_told_once_with_its_code(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start(Program(name="brief", argv=[sys.executable, "-c", "raise SystemExit(3)"])).wait(
        timeout=30
    )

    assert [(program.name, code) for program, code in processes.ended()] == [("brief", 3)]
    assert processes.ended() == []


async def test_one_that_ended_by_itself_keeps_no_other_from_being_stopped(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    ended = Program(name="brief", argv=[sys.executable, "-c", "raise SystemExit(3)"])
    processes.start(ended).wait(timeout=30)
    going_on = processes.start(Program(name="sleeper", argv=SLEEPER))
    assert [program.name for program, _ in processes.ended()] == ["brief"]

    await processes.stop("brief", "sleeper")

    assert going_on.returncode == -signal.SIGTERM


async def test_a_failed_command_is_one_line_with_what_it_said(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "failing.log"
    said = "print('fetching'); print('ERROR: no such repository'); raise SystemExit(2)"

    with pytest.raises(CannotStartError) as failed:
        await run([sys.executable, "-c", said], name="the fetcher", log=log)

    assert str(failed.value) == (
        f"the fetcher failed with code 2: ERROR: no such repository (whole log: {log})"
    )


async def test_a_command_that_met_a_full_disk_says_so(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "initdb.log"
    said = f"print('could not write: {os.strerror(28)}'); raise SystemExit(1)"

    with pytest.raises(CannotStartError, match=r"is full: free at least 1 GB"):
        await run([sys.executable, "-c", said], name="initdb", log=log)
