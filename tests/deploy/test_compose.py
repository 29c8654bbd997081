"""docker-compose.yml: valid, closed, and preparing real servers as it says. No engine runs here."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import yaml
from pydantic_settings import SettingsConfigDict

from deploy.compose import new_secrets
from deploy.compose.prepare import passwords
from deploy.local.failures import CannotStartError
from deploy.local.provision import ROLES, SERVICES, addresses
from shared import crypto
from shared.contracts.topics import TOPICS
from shared.settings import Settings
from tests.support.databases import PASSWORDS

HOUSE = Path(__file__).parents[2]
FILE = HOUSE / "docker-compose.yml"
TEXT = FILE.read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOTS = {"provision", "topics", *(f"{service}-migrate" for service in SERVICES)}

FROM_OUTSIDE = new_secrets.FROM_OUTSIDE
SOURCES_TOKEN = new_secrets.SOURCES_TOKEN

every_container = pytest.mark.parametrize("name", CONTAINERS)
every_service = pytest.mark.parametrize("service", SERVICES)


def test_it_is_valid_to_the_compose_specification() -> None:
    checked = subprocess.run(
        [
            Path(sys.executable).with_name("check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            FILE,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_every_service_has_its_three_containers() -> None:
    wanted = {f"{service}-{part}" for service in SERVICES for part in ("migrate", "api", "worker")}
    assert set(CONTAINERS) == wanted | {"postgres", "kafka", "provision", "topics", "gateway"}


@every_container
def test_a_container_can_do_nothing_but_its_work(name: str) -> None:
    container = CONTAINERS[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert any(place.startswith("/tmp") for place in container["tmpfs"])  # noqa: S108
    assert container["user"].split(":")[0] not in {"0", "root"}
    assert container["mem_limit"]
    assert not {"privileged", "cap_add", "pid", "network_mode"} & set(container)


@every_container
def test_what_runs_on_is_watched_and_what_prepares_ends(name: str) -> None:
    container = CONTAINERS[name]
    if name in ONE_SHOTS:
        assert container["restart"].startswith("on-failure")
    else:
        assert container["restart"] == "unless-stopped"
        assert container["healthcheck"]["test"][0] == "CMD"


@every_container
def test_each_waits_for_what_it_needs(name: str) -> None:
    awaited = {other: how["condition"] for other, how in waits(name).items()}
    assert all(
        condition == f"service_{'completed_successfully' if other in ONE_SHOTS else 'healthy'}"
        for other, condition in awaited.items()
    )
    service, _, part = name.partition("-")
    wanted = {
        "migrate": {"provision"},
        "api": {f"{service}-migrate"},
        "worker": {f"{service}-migrate", "topics"},
    }
    assert set(awaited) >= wanted.get(part, set())


def waits(name: str) -> dict[str, dict[str, str]]:
    """What a container waits for."""
    found: dict[str, dict[str, str]] = CONTAINERS[name].get("depends_on", {})
    return found


def test_only_the_gateway_is_reached_from_outside() -> None:
    assert [name for name, one in CONTAINERS.items() if "ports" in one] == ["gateway"]
    assert CONTAINERS["gateway"]["ports"] == ["${BANGFU_GATEWAY:-8100}:8100"]
    assert CONTAINERS["gateway"]["networks"] == ["front"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for server in ("postgres", "kafka"):
        assert CONTAINERS[server]["networks"] == ["inside"]


def test_no_secret_stands_in_it() -> None:
    assert "postgresql://" not in TEXT
    for name, container in CONTAINERS.items():
        for variable in container.get("environment", {}):
            telling = re.search("PASSWORD|SECRET|TOKEN$|DATABASE_URL|_KEY$", variable)
            assert not telling or variable.endswith("_FILE"), f"{name}: {variable}"
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())


def test_images_are_pinned_and_come_from_no_named_registry() -> None:
    images = [container["image"] for container in CONTAINERS.values()]
    images += re.findall(
        r"^FROM (\S+:\S+)", (HOUSE / "deploy/Dockerfile").read_text(), re.MULTILINE
    )
    for image in images:
        name, _, tag = image.partition(":")
        assert "." not in name
        assert tag == "${BANGFU_VERSION:-local}" or re.fullmatch(r"\d+(\.\d+)+(-\w+)*", tag), image


@every_service
def test_a_service_runs_in_production_with_its_own_secrets_alone(service: str) -> None:
    settings = importlib.import_module(f"services.{service}.settings")
    known = getattr(settings, f"{service.capitalize()}Settings").model_fields
    for part in ("migrate", "api", "worker"):
        container = CONTAINERS[f"{service}-{part}"]
        environment = container["environment"]
        assert environment["BANGFU_ENV"] == "production"
        assert "BANGFU_CLOCK_FILE" not in environment
        ours = {name for name in environment if name.startswith("BANGFU_")}
        assert {name for name in ours if name[7:].lower() not in known} == set()
        for secret in container["secrets"]:
            assert secret["source"].startswith(f"{service}_")
            field = secret["target"].removeprefix("bangfu_")
            assert field in {"keys.json", "client_secret", "sources_token"} or field in known
    for part in ("api", "worker"):
        own = {f"{service}_keys", f"{service}_{part}_database_url"}
        assert secrets_of(f"{service}-{part}") - FROM_OUTSIDE - {SOURCES_TOKEN} == own


def secrets_of(name: str) -> set[str]:
    """The secrets that a container is given."""
    return {
        secret if isinstance(secret, str) else secret["source"]
        for secret in CONTAINERS[name].get("secrets", ())
    }


def test_the_sources_token_is_the_workers_alone(secret_files: Path) -> None:
    assert [name for name in CONTAINERS if SOURCES_TOKEN in secrets_of(name)] == ["registry-worker"]
    environment = CONTAINERS["registry-worker"]["environment"]
    assert environment["BANGFU_VERIFICATION_SOURCES_TOKEN_FILE"] == "/run/secrets/sources_token"
    assert (secret_files / SOURCES_TOKEN).read_text().strip() == ""


def test_what_the_identity_provider_gives_is_asked_for_by_name() -> None:
    for variable in ("JWKS_URL", "TOKEN_ISSUER", "TOKEN_URL", "CONSOLE_URL"):
        assert re.search(rf"\$\{{BANGFU_{variable}:\?set it to ", TEXT)


@pytest.fixture
def secret_files(tmp_path: Path) -> Path:
    """The secrets as new_secrets makes them."""
    new_secrets.make(tmp_path / "secrets")
    return tmp_path / "secrets"


def test_the_secrets_are_those_of_the_compose_file(secret_files: Path) -> None:
    declared = {name: Path(secret["file"]).name for name, secret in COMPOSE["secrets"].items()}
    assert all(name == file for name, file in declared.items())
    assert {file.name for file in secret_files.iterdir()} == set(declared) - FROM_OUTSIDE
    assert set(passwords(secret_files)) == set(ROLES)
    assert len(set(passwords(secret_files).values())) == len(ROLES)
    crypto.configure(secret_files / "relief_keys", "AES-GCM")


def test_secrets_are_made_once_and_kept_from_others(secret_files: Path) -> None:
    before = {file.name: file.read_bytes() for file in secret_files.iterdir()}
    (secret_files / "relief_api_database_url").unlink()

    (made,) = new_secrets.make(secret_files)
    new_secrets.hand_over(secret_files, group=os.getgid())

    assert made.name == "relief_api_database_url"
    now = {file.name: file.read_bytes() for file in secret_files.iterdir()}
    assert {name for name in before if before[name] != now[name]} == {made.name}
    assert {file.stat().st_mode & 0o777 for file in secret_files.iterdir()} == {0o640}


def test_a_mounted_secret_is_a_setting(secret_files: Path, tmp_path: Path) -> None:
    mounted = tmp_path / "run"
    mounted.mkdir()
    shutil.copy(secret_files / "relief_api_database_url", mounted / "bangfu_api_database_url")

    class Mounted(Settings):
        model_config = SettingsConfigDict(secrets_dir=mounted)

    settings = Mounted(service="relief", key_file=tmp_path / "keys.json")
    parts = urlsplit(settings.api_database_url)
    assert (parts.username, parts.hostname, parts.path) == ("relief_api", "postgres", "/relief")


def test_another_role_s_address_is_refused(secret_files: Path) -> None:
    shutil.copy(
        secret_files / "relief_owner_database_url", secret_files / "relief_api_database_url"
    )
    with pytest.raises(CannotStartError, match="is not the address of relief_api"):
        passwords(secret_files)


async def test_the_preparing_image_holds_all_that_it_runs_and_provisions(
    tmp_path: Path, postgres: str
) -> None:
    """With the very files that the Dockerfile copies: a stolen password is put right again."""
    image = copied("operations", tmp_path / "image")
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "postgres_password").write_text(f"{urlsplit(postgres).password}\n")
    for service in SERVICES:
        database = addresses(postgres, service, PASSWORDS)
        for kind in ("owner", "api", "worker"):
            (folder / f"{service}_{kind}_database_url").write_text(getattr(database, f"{kind}_url"))
    connection = await asyncpg.connect(postgres)
    await connection.execute("ALTER ROLE relief_api PASSWORD 'stolen'")
    await connection.close()

    port = str(urlsplit(postgres).port)
    run(image, "databases", "127.0.0.1", "--port", port, "--secrets", str(folder))

    connection = await asyncpg.connect(addresses(postgres, "relief", PASSWORDS).api_url)
    await connection.close()


def test_the_preparing_image_makes_the_topics(tmp_path: Path, kafka: str) -> None:
    image = copied("operations", tmp_path / "image")
    run(image, "topics", kafka)
    run(image, "topics", kafka)
    assert len(TOPICS) == 10


def copied(stage: str, place: Path) -> Path:
    """A folder with what this stage of deploy/Dockerfile, and those it stands on, copy to /app."""
    stages: dict[str, list[str]] = {}
    parents: dict[str, str] = {}
    for line in (HOUSE / "deploy" / "Dockerfile").read_text().splitlines():
        if begun := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
            parents[begun[2]] = begun[1]
            lines = stages[begun[2]] = []
        elif line.startswith("COPY ") and "--from" not in line:
            lines.append(line)
    while stage in stages:
        for line in stages[stage]:
            *sources, target = line.split()[1:]
            for source in sources:
                _copy(HOUSE / source, place / target.removeprefix("/app/"), into=target[-1] == "/")
        stage = parents[stage]
    return place


def _copy(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        return
    place = target / source.name if into else target
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)


def run(image: Path, *arguments: str) -> None:
    """Run the preparing command from this folder alone."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.compose.prepare", *arguments],
        cwd=image,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(image)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
