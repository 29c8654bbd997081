import errno
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import failures, kafka, launcher, layout, preflight
from deploy.local.failures import CannotStartError
from deploy.local.layout import Layout, from_environment
from tests.support.ports import free_base


def test_a_taken_port_is_named_with_its_use_and_a_way_out(tmp_path: Path) -> None:
    place = Layout(home=tmp_path, port=free_base())
    with (
        socket.create_server(("127.0.0.1", place.api_port("relief"))),
        pytest.raises(CannotStartError) as refused,
    ):
        preflight.refuse_taken_ports(place)

    line = str(refused.value)
    assert f"port {place.port + 2}, wanted for the api of relief, is taken" in line
    assert f"make up BANGFU_PORT={place.port + 1000}" in line
    assert "\n" not in line


def test_a_port_in_time_wait_is_free(tmp_path: Path) -> None:
    place = Layout(home=tmp_path, port=free_base())
    with (
        socket.create_server(("127.0.0.1", place.issuer_port)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first keeps the port in TIME_WAIT
        client.recv(1)

    preflight.refuse_taken_ports(place)


def test_ports_of_servers_of_ones_own_are_not_wanted(tmp_path: Path) -> None:
    place = Layout(
        home=tmp_path, port=8100, postgres_url="postgresql://a:b@db/postgres", kafka="broker:9092"
    )

    assert not {8110, 8111, 8112} & set(place.ports())
    assert {8101, 8106, 8109, 8201, 8206} <= set(Layout(home=tmp_path, port=8100).ports())


def test_less_than_a_gigabyte_of_room_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little = shutil.disk_usage(tmp_path)._replace(free=900_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: little)

    with pytest.raises(CannotStartError, match=r"is full: free at least 1 GB, or put the data"):
        preflight.refuse_full_disk(Layout(home=tmp_path))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_later_is_recognised(number: int) -> None:
    assert failures.is_disk_full(OSError(number, os.strerror(number)))
    assert not failures.is_disk_full(OSError(errno.EACCES, "no"))


def test_of_errors_side_by_side_the_telling_one_is_shown(tmp_path: Path) -> None:
    place = Layout(home=tmp_path)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    missing = CannotStartError("`mvn` is missing: install it")

    assert "is full: free at least 1 GB" in launcher._unforeseen(place, ExceptionGroup("", [full]))
    both = ExceptionGroup("", [full, ExceptionGroup("", [missing])])
    assert launcher._unforeseen(place, both) == str(missing)
    odd = launcher._unforeseen(place, ExceptionGroup("", [LookupError("odd")]))
    assert odd == f"LookupError: odd (all of it: {tmp_path / 'logs' / 'launcher.log'})"


def test_missing_java_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotStartError) as refused:
        kafka.refuse_old_java()

    assert str(refused.value).startswith("`java` is missing (Java 17 or later): install it")
    assert "KAFKA_BOOTSTRAP_SERVERS" in str(refused.value)


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ('openjdk version "17.0.15" 2025-04-15', True),
        ('openjdk version "21" 2023-09-19', True),
        ('openjdk version "11.0.2" 2019-01-15', False),
        ('java version "1.8.0_392"', False),
        ("no such thing", False),
    ],
)
def test_java_before_17_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, accepted: bool
) -> None:
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    if accepted:
        kafka.refuse_old_java()
    else:
        with pytest.raises(CannotStartError, match="Kafka needs Java 17 or later"):
            kafka.refuse_old_java()


def test_a_java_that_first_tells_its_options_is_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "java"
    java.write_text(
        "#!/bin/sh\necho 'Picked up JAVA_TOOL_OPTIONS: -Dnote=\"1.8\"' >&2\n"
        "echo 'openjdk version \"21\" 2023-09-19' >&2\n"
    )
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    kafka.refuse_old_java()


async def test_missing_maven_is_one_line_when_the_jars_are_not_there_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotStartError, match="`mvn` is missing"):
        await kafka.fetch_jars(tmp_path / "maven.log")


async def test_a_fetch_that_fails_leaves_no_half_folder_of_jars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven = tmp_path / "mvn"
    maven.write_text(
        '#!/bin/sh\nfor word; do case $word in -DoutputDirectory=*) mkdir -p "${word#*=}";'
        ' echo half > "${word#*=}/half.jar";; esac; done\necho "[ERROR] no network"; exit 1\n'
    )
    maven.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(CannotStartError, match=r"\[ERROR\] no network"):
        await kafka.fetch_jars(tmp_path / "maven.log")
    assert list(kafka.cache().glob("*")) == []


def test_the_launcher_itself_says_one_line_and_exits_with_1(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PATH": str(tmp_path),
        "BANGFU_HOME": str(tmp_path / "home"),
        "BANGFU_PORT": str(free_base()),
    }
    environment.pop("KAFKA_BOOTSTRAP_SERVERS", None)
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "up"],
        cwd=layout.PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout.startswith("Bangfu cannot start: `java` is missing")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


@pytest.mark.parametrize("given", ["eighty", "80", "70000"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(CannotStartError, match=f"BANGFU_PORT is {given}: give a number from"):
        from_environment({"BANGFU_HOME": str(tmp_path), "BANGFU_PORT": given})


def test_later_commands_find_the_port_of_the_stack_that_ran(tmp_path: Path) -> None:
    Layout(home=tmp_path, port=9300).note(port=9300)

    assert from_environment({"BANGFU_HOME": str(tmp_path)}).port == 9300
    assert from_environment({"BANGFU_HOME": str(tmp_path / "other")}).port == 8100


def test_passwords_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    place = Layout(home=tmp_path)
    made = place.passwords()
    file = place.secrets / "passwords.json"

    assert place.passwords() == made
    assert len(set(made.values())) == 19
    assert file.stat().st_mode & 0o077 == 0
    preflight.refuse_full_disk(place)
    assert place.secrets.stat().st_mode & 0o077 == 0, "whoever made the folder first"


def test_lost_passwords_of_existing_data_are_refused(tmp_path: Path) -> None:
    place = Layout(home=tmp_path)
    Path(tmp_path / "postgres" / "data").mkdir(parents=True)

    with pytest.raises(CannotStartError, match=r"passwords\.json is gone"):
        place.passwords()
