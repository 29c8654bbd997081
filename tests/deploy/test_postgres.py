import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local.failures import CannotStartError
from deploy.local.postgres import NAME, PostgresServer
from deploy.local.processes import Processes
from tests.support.ports import free_ports

ServerOf = Callable[..., PostgresServer]


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    started = Processes(tmp_path)
    yield started
    await started.stop()


@pytest.fixture
def server_of(tmp_path: Path, processes: Processes) -> ServerOf:
    port = free_ports(1)[0]

    def server(password: str = "right") -> PostgresServer:  # noqa: S107 (made up)
        return PostgresServer(
            tmp_path / "postgres", processes, port=port, password=password, durable=False
        )

    return server


async def test_a_half_written_data_folder_is_put_aside_and_a_new_one_made(
    server_of: ServerOf,
) -> None:
    server = server_of()
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("18\n")

    prepared = await server.prepare()
    await server.start()

    assert prepared.fresh
    assert prepared.aside is not None
    assert (prepared.aside / "PG_VERSION").read_text() == "18\n"


async def test_an_interrupted_initdb_leaves_nothing_in_the_way(server_of: ServerOf) -> None:
    server = server_of()
    (server.folder / "new-4711" / "data").mkdir(parents=True)

    await server.prepare()

    assert [path.name for path in server.folder.iterdir()] == ["data"]


async def test_after_kill_9_it_starts_again_with_its_data(
    server_of: ServerOf, processes: Processes
) -> None:
    server = server_of()
    await server.prepare()
    await server.start()
    await _execute(server, "CREATE TABLE kept AS SELECT 1 AS one")
    _, process = processes._running[NAME]
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    # by now another process may have got the pid that the file names
    pid_file = server.data / "postmaster.pid"
    first, *others = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *others]) + "\n")
    processes.ended()

    assert (await server.prepare()).fresh is False
    await server.start()

    assert first == str(process.pid)
    assert await _execute(server, "SELECT one FROM kept") == 1


async def test_a_server_that_a_killed_launcher_left_in_the_folder_gives_way(
    server_of: ServerOf, tmp_path: Path
) -> None:
    server = server_of()
    await server.prepare()
    await server.start()
    _, left = server._processes._running[NAME]
    (tmp_path / "processes.json").unlink()

    again = server_of()
    await again.start()

    assert left.wait(timeout=10) == 0
    assert await _execute(again, "SELECT 1") == 1


async def test_nobody_gets_in_without_the_password(server_of: ServerOf) -> None:
    server = server_of()
    await server.prepare()
    await server.start()

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.admin_url.replace("right", "wrong"))


async def test_a_password_that_does_not_fit_the_folder_is_one_line(server_of: ServerOf) -> None:
    await server_of().prepare()

    with pytest.raises(CannotStartError, match="has another password than the one kept"):
        await server_of(password="other").start()


async def _execute(server: PostgresServer, order: str) -> Any:
    connection = await asyncpg.connect(server.admin_url)
    try:
        return await connection.fetchval(order)
    finally:
        await connection.close()
