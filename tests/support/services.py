"""A service's settings and its HTTP app inside the test's process, on real servers."""

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from deploy.local.provision import ServiceDatabase
from shared.settings import Settings
from tests.support.ports import free_ports
from tests.support.tokens import Tokens

SettingsOf = Callable[..., Settings]
ClientOf = Callable[..., Awaitable[httpx.AsyncClient]]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What every service is told in this test session. Kafka is unreachable unless asked for."""

    tokens: Tokens
    key_file: Path
    folder: Path
    kafka_bootstrap_servers: str = "127.0.0.1:1"
    topic_prefix: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def settings(self, service: str, database: ServiceDatabase, **changes: Any) -> Settings:
        """The service's own settings class, filled in; ``changes`` replaces single values."""
        module = importlib.import_module(f"services.{service}.settings")
        api_port, worker_port = free_ports(2)
        values = {
            "env": "development",
            "api_database_url": database.api_url,
            "worker_database_url": database.worker_url,
            "owner_database_url": database.owner_url,
            "kafka_bootstrap_servers": self.kafka_bootstrap_servers,
            "topic_prefix": self.topic_prefix,
            "jwks_url": self.tokens.jwks_url,
            "token_issuer": self.tokens.issuer,
            "key_file": self.key_file,
            "api_port": api_port,
            "worker_port": worker_port,
            "database_pool_size": 5,
        }
        if service == "registry":
            values["attachments_url"] = (self.folder / "attachments").as_uri()
        settings = getattr(module, f"{service.capitalize()}Settings")(
            **(values | self.more | changes)
        )
        assert isinstance(settings, Settings)
        return settings


def app_of(settings: Settings) -> FastAPI:
    """The service's app as ``uvicorn --factory`` makes it: settings come in by the environment."""
    main = importlib.import_module(f"services.{settings.service}.main")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment(settings).items():
            patched.setenv(name, value)
        main.load.cache_clear()
        app = main.create()
    assert isinstance(app, FastAPI)
    assert app.state.platform.settings == settings, "the app did not take this test's settings"
    return app


def environment(settings: Settings) -> dict[str, str]:
    """These settings as the environment variables that a service's process would read."""
    values = settings.model_dump(exclude={"service"}, exclude_none=True)
    return {
        f"BANGFU_{name.upper()}": str(value)
        if isinstance(value, str | int | Path)
        else TypeAdapter(type(value)).dump_json(value).decode()
        for name, value in values.items()
    }


@asynccontextmanager
async def serving(app: FastAPI, **defaults: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of this app, started and stopped as a server would.

    Every POST gets a fresh Idempotency-Key unless it names one or says ``""`` (sent without).
    """
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport,
            base_url="http://service.test",
            event_hooks={"request": [_fresh_key]},
            timeout=60,
            **defaults,
        ) as client,
    ):
        yield client


async def _fresh_key(request: httpx.Request) -> None:
    if request.method != "POST":
        return
    if request.headers.get("Idempotency-Key") == "":
        del request.headers["Idempotency-Key"]
    else:
        request.headers.setdefault("Idempotency-Key", str(uuid4()))
