"""The six services as processes: an api and a worker each, with what each may know."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping

import httpx

from deploy.local import failures
from deploy.local.layout import PROJECT, Layout
from deploy.local.processes import Processes, Program
from deploy.local.progress import Step
from deploy.local.provision import SERVICES, ServiceDatabase

ISSUER = "issuer"
SOURCES = "sources"
_READY_SECONDS = 120.0
_OURS = ("BANGFU_", "KAFKA_BOOTSTRAP_SERVERS", "MAKE", "MFLAGS")


def issuer(layout: Layout) -> Program:
    """The token issuer of development."""
    told = {"BANGFU_ISSUER": layout.issuer, "BANGFU_SIGNING_KEY": str(layout.signing_key)}
    return Program(
        name=ISSUER,
        argv=uvicorn_command("deploy.local.issuer:create", layout.issuer_port),
        env=surroundings() | told,
    )


def sources(layout: Layout) -> Program:
    """The reference sources of development, in the platform's own time."""
    return Program(
        name=SOURCES,
        argv=uvicorn_command("deploy.local.sources:create", layout.sources_port),
        env=surroundings() | {"BANGFU_CLOCK_FILE": str(layout.clock_file)},
    )


def programs(layout: Layout, databases: Mapping[str, ServiceDatabase]) -> Iterator[Program]:
    """Twelve programs. Each gets the address of its own role in its own database, no other."""
    for service in SERVICES:
        told = surroundings() | environment(layout, service)
        yield Program(
            name=f"{service}-api",
            argv=uvicorn_command(f"services.{service}.main:create", layout.api_port(service)),
            env=told | {"BANGFU_API_DATABASE_URL": databases[service].api_url},
        )
        yield Program(
            name=f"{service}-worker",
            argv=[sys.executable, "-m", f"services.{service}.worker"],
            env=told | {"BANGFU_WORKER_DATABASE_URL": databases[service].worker_url},
        )


def operators_environment(
    layout: Layout, service: str, database: ServiceDatabase
) -> dict[str, str]:
    """What a service's commands are told: its worker's and its owner's address."""
    return {
        **surroundings(),
        **environment(layout, service),
        "BANGFU_WORKER_DATABASE_URL": database.worker_url,
        "BANGFU_OWNER_DATABASE_URL": database.owner_url,
    }


def environment(layout: Layout, service: str) -> dict[str, str]:
    """What both processes of a service are told; no database address."""
    own = _of_registry(layout) if service == "registry" else _of_listeners(layout, service)
    return own | {
        "BANGFU_ENV": "development",
        "BANGFU_HOST": "127.0.0.1",
        "BANGFU_API_PORT": str(layout.api_port(service)),
        "BANGFU_WORKER_PORT": str(layout.worker_port(service)),
        "BANGFU_KAFKA_BOOTSTRAP_SERVERS": layout.bootstrap,
        "BANGFU_JWKS_URL": f"{layout.issuer}/jwks.json",
        "BANGFU_TOKEN_ISSUER": layout.issuer,
        "BANGFU_KEY_FILE": str(layout.key_file(service)),
        "BANGFU_CLOCK_FILE": str(layout.clock_file),
    }


def _of_registry(layout: Layout) -> dict[str, str]:
    """Whom the registry's verifications ask, and where its attachments lie."""
    return {
        "BANGFU_VERIFICATION_SOURCES_URL": layout.address(layout.sources_port),
        "BANGFU_ATTACHMENTS_URL": layout.attachments.as_uri(),
    }


def _of_listeners(layout: Layout, service: str) -> dict[str, str]:
    """Whom a listener asks about its copies, where it gets its token for that; notify's console."""
    told = {
        "BANGFU_REGISTRY_URL": layout.api("registry"),
        "BANGFU_TOKEN_URL": f"{layout.issuer}/token",
        "BANGFU_CLIENT_ID": service,
    }
    return told | ({"BANGFU_CONSOLE_URL": layout.api("notify")} if service == "notify" else {})


async def until_ready(layout: Layout, processes: Processes, step: Step) -> None:
    """Return when issuer, sources and all twelve answer /readyz. Raises CannotStartError."""
    waiting = {ISSUER: layout.issuer_port, SOURCES: layout.sources_port}
    for service in SERVICES:
        waiting[f"{service}-api"] = layout.api_port(service)
        waiting[f"{service}-worker"] = layout.worker_port(service)
    total = len(waiting)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _READY_SECONDS
    async with httpx.AsyncClient(trust_env=False, timeout=3) as client:
        while waiting:
            for program, code in processes.ended():
                raise failures.from_log(
                    program.name, processes.log_of(program.name), f"ended with code {code}"
                )
            if loop.time() > deadline:
                name = next(iter(waiting))
                raise failures.from_log(name, processes.log_of(name), "did not become ready")
            for name, port in list(waiting.items()):
                if await _is_ready(client, layout.address(port)):
                    del waiting[name]
            step.tell(total - len(waiting), total)
            await asyncio.sleep(0.1)


async def _is_ready(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(f"{address}/readyz")).is_success
    except httpx.HTTPError:
        return False


def uvicorn_command(factory: str, port: int) -> list[str]:
    """How one process of an ASGI app is started."""
    place = ["--host", "127.0.0.1", "--port", str(port)]
    # the access log would hold addresses with what officers searched for
    calm = ["--no-access-log", "--timeout-graceful-shutdown", "10"]
    return [sys.executable, "-m", "uvicorn", "--factory", factory, *place, *calm]


def surroundings() -> dict[str, str]:
    """The environment of whoever starts a program, less what is ours: that each is told anew."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
