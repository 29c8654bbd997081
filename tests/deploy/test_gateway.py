"""The gateway: Debian's real nginx with deploy/gateway/nginx.conf, before the running platform."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
import yaml

from deploy.local.provision import SERVICES
from deploy.local.tokens import open_signer
from tests.support.platform import Platform
from tests.support.ports import free_ports
from tests.support.waiting import until

HOUSE = Path(__file__).parents[2]
CONFIGURATION = HOUSE / "deploy" / "gateway"
NOBODY = "nobody"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running nginx: a client of it, and the folder that holds its access log."""

    client: httpx.AsyncClient
    folder: Path

    def logged(self) -> list[str]:
        """The access log so far."""
        return (self.folder / "access.log").read_text().splitlines()


def program() -> str:
    """Where nginx is; without it the test fails with one line."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.fail("nginx is missing: apt-get install nginx-light", pytrace=False)
    return found


def laid_out(folder: Path, port: int, upstreams: Mapping[str, str]) -> Path:
    """The configuration as it stands, but for its port, its folders and where the apis are."""
    text = (CONFIGURATION / "nginx.conf").read_text()
    assert text.count("listen 8100;") == 1
    text = text.replace("listen 8100;", f"listen 127.0.0.1:{port};")
    text = text.replace("/tmp/", f"{folder}/")  # noqa: S108
    text = text.replace("/dev/stdout", f"{folder}/access.log")
    text = text.replace("/dev/stderr", f"{folder}/error.log")
    lines = "\n".join(f"{service} {place};" for service, place in upstreams.items())
    (folder / "upstreams.conf").write_text(f"map $service $upstream {{\n{lines}\n}}\n")
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    return configuration


def without_privileges(folder: Path) -> dict[str, Any]:
    """How to start a process as nobody, to whom the folder is given; as ourselves if not root."""
    if os.geteuid() != 0:
        return {}
    folder.chmod(0o755)
    shutil.chown(folder, NOBODY)
    return {"user": NOBODY, "extra_groups": []}


@asynccontextmanager
async def running(upstreams: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """An nginx without privileges on a free port, stopped by its pid at the end."""
    (port,) = free_ports(1)
    folder = Path(tempfile.mkdtemp(prefix="bangfu-gateway-"))
    configuration = laid_out(folder, port, upstreams)
    process = await asyncio.create_subprocess_exec(
        program(),
        *("-c", configuration, "-g", f"daemon off; error_log {folder}/error.log crit;"),
        stderr=subprocess.PIPE,
        **without_privileges(folder),
    )
    try:
        address = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=60) as client:

            async def lives() -> bool:
                assert process.returncode is None, "nginx ended"
                try:
                    return (await client.get("/livez")).is_success
                except httpx.TransportError:
                    return False

            await until(lives, what="nginx")
            yield Gateway(client, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
async def gateway(sample_platform: Platform) -> AsyncIterator[Gateway]:
    """The gateway before the sample platform."""
    layout = sample_platform.layout
    upstreams = {service: f"127.0.0.1:{layout.api_port(service)}" for service in SERVICES}
    async with running(upstreams) as started:
        yield started


@pytest.fixture(scope="module")
def token(sample_platform: Platform) -> dict[str, str]:
    """The header of an officer who may look at households."""
    layout = sample_platform.layout
    signer = open_signer(layout.signing_key, layout.issuer)
    signed = signer.sign(scopes=["registry.households:read"], officer="o1", divisions=["331124"])
    return {"Authorization": f"Bearer {signed}"}


@pytest.mark.parametrize("service", SERVICES)
async def test_each_prefix_leads_to_its_service(gateway: Gateway, service: str) -> None:
    assert (await gateway.client.get(f"/{service}/readyz")).json() == {"status": "ready"}
    described = await gateway.client.get(f"/{service}/openapi.json")
    assert described.json()["info"]["title"] == f"Bangfu {service}"


async def test_what_has_no_prefix_is_notify_s(gateway: Gateway) -> None:
    described = await gateway.client.get("/openapi.json")
    assert described.json()["info"]["title"] == "Bangfu notify"


async def test_an_authorised_request_is_answered_in_little(
    gateway: Gateway, token: dict[str, str]
) -> None:
    asked = {"division": "331124", "limit": "50"}
    answer = await gateway.client.get("/registry/v1/households", params=asked, headers=token)
    assert (answer.status_code, len(answer.json()["items"])) == (200, 50)
    assert answer.headers["Content-Encoding"] == "gzip"
    refused = await gateway.client.get("/registry/v1/households", params=asked)
    assert (refused.status_code, refused.json()["code"]) == (401, "token_missing")


async def test_the_address_arrives_as_it_was_written(
    gateway: Gateway, token: dict[str, str], sample_platform: Platform
) -> None:
    written = f"/v1/households?division=331124&name={quote('王 +%/?#')}&limit=1"
    direct = await sample_platform.client.get(
        sample_platform.layout.api("registry") + written, headers=token
    )
    through = await gateway.client.get("/registry" + written, headers=token)
    assert (through.status_code, through.json().get("items")) == (
        direct.status_code,
        direct.json().get("items"),
    )


async def test_a_body_above_25_mb_is_refused_at_the_door(gateway: Gateway) -> None:
    answer = await gateway.client.post("/registry/v1/rosters", content=b"0" * 30_000_000)
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, PROBLEM)
    assert answer.json()["code"] == "body_too_large"
    assert answer.json()["instance"].endswith(answer.headers["X-Correlation-Id"])


async def test_a_smaller_body_is_the_service_s_to_judge(gateway: Gateway) -> None:
    answer = await gateway.client.post("/registry/v1/rosters", content=b"0" * 20_000_000)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")


@pytest.mark.parametrize("path", ["/nowhere/v1/households", "/registry/nothing", "/relief"])
async def test_an_unknown_address_is_a_problem(gateway: Gateway, path: str) -> None:
    answer = await gateway.client.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, PROBLEM)
    assert answer.json()["code"] == "route_unknown"


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/registry/metrics", "/registry/%6detrics", "/%6Detrics", "/relief//metrics"],
)
async def test_figures_for_operators_are_not_shown_outside(gateway: Gateway, path: str) -> None:
    answer = await gateway.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "route_unknown")


@pytest.mark.parametrize("path", ["/livez", "/relief/readyz", "/metrics"])
async def test_every_answer_carries_the_headers_of_a_closed_house(
    gateway: Gateway, path: str
) -> None:
    headers = (await gateway.client.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "nginx"


async def test_the_console_s_own_word_on_referrers_stands(gateway: Gateway) -> None:
    """With ``no-referrer`` a browser would send ``Origin: null``, and signing out be refused."""
    page = await gateway.client.get("/signed-out")
    assert page.headers.get_list("Referrer-Policy") == ["same-origin"]


async def test_one_correlation_id_goes_all_the_way(gateway: Gateway) -> None:
    mine = str(uuid4())
    answer = await gateway.client.get("/relief/v1/grants", headers={"X-Correlation-Id": mine})
    assert answer.headers.get_list("X-Correlation-Id") == [mine]
    assert answer.json()["instance"].endswith(mine)
    fresh = await gateway.client.get("/relief/v1/grants")
    assert fresh.json()["instance"].endswith(fresh.headers["X-Correlation-Id"])
    for personal in ("331124198005170015", "13812345678"):
        replaced = await gateway.client.get("/livez", headers={"X-Correlation-Id": personal})
        assert replaced.headers["X-Correlation-Id"] != personal


async def test_the_log_keeps_neither_address_nor_query(gateway: Gateway) -> None:
    mine = str(uuid4())
    await gateway.client.get(
        "/registry/v1/households", params={"name": "wang"}, headers={"X-Correlation-Id": mine}
    )

    async def look() -> list[str]:
        return [line for line in gateway.logged() if mine in line]

    (line,) = await until(look, what="the line")
    said = json.loads(line)
    assert (said["service"], said["status"], said["correlation_id"]) == ("registry", 401, mine)
    assert "wang" not in line
    assert "households" not in line


async def test_a_service_that_does_not_answer_is_a_problem_that_says_so() -> None:
    (nobody_there,) = free_ports(1)
    async with running(dict.fromkeys(SERVICES, f"127.0.0.1:{nobody_there}")) as alone:
        answer = await alone.client.get("/relief/v1/grants?name=wang")
        assert (answer.status_code, answer.headers["Content-Type"]) == (502, PROBLEM)
        assert answer.json()["code"] == "service_unreachable"
        assert "wang" not in (alone.folder / "error.log").read_text()


def test_the_configuration_of_compose_is_accepted_and_names_its_containers(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    configuration = laid_out(tmp_path, port, {})
    upstreams = CONFIGURATION / "upstreams.conf"
    shutil.copy(upstreams, tmp_path)
    checked = subprocess.run(
        [program(), "-t", "-c", configuration], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    containers = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())["services"]
    for service in SERVICES:
        assert f"{service}-api:8000;" in upstreams.read_text()
        assert f"{service}-api" in containers
