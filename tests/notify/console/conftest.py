"""Officers at the console: with a session of their own, or in a real browser."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright

from deploy.local.provision import ServiceDatabase
from services.notify.console import actions
from services.notify.console.visits import SESSION_COOKIE
from shared import clock
from shared.auth import Caller
from shared.db import Database
from tests.conftest import ClientOf, SettingsOf
from tests.notify.support import COUNTY
from tests.notify.timelines.support import SCOPES
from tests.support.ports import free_ports
from tests.support.tokens import Tokens
from tests.support.waiting import until

VisitorOf = Callable[..., Awaitable[httpx.AsyncClient]]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
async def stranger(
    notify: ServiceDatabase, worker: Database, client_of: ClientOf
) -> httpx.AsyncClient:
    """A browser that has not signed in."""
    return await client_of("notify", notify)


@pytest.fixture
def visitor_of(
    *,
    notify: ServiceDatabase,
    worker: Database,
    api_role: Database,
    client_of: ClientOf,
    settings_of: SettingsOf,
    tokens: Tokens,
) -> VisitorOf:
    """``visitor_of(divisions=…, scopes=…)``: a browser with a session of these rights."""

    async def visitor(
        *,
        divisions: tuple[str, ...] = (COUNTY,),
        scopes: str = SCOPES,
        lasts: timedelta = timedelta(hours=1),
        registry_url: str = "",
        **claims: Any,
    ) -> httpx.AsyncClient:
        token = tokens(scopes=scopes, officer="o1", divisions=divisions, **claims)
        async with api_role.transaction(divisions=divisions) as session:
            key = await actions.begin_session(
                session, Caller(sub="account-o1"), token=token, expires_at=clock.now() + lasts
            )
        settings = settings_of("notify", notify, registry_url=registry_url)
        client = await client_of("notify", notify, settings=settings)
        client.cookies.set(SESSION_COOKIE, key)
        return client

    return visitor


@pytest.fixture(scope="module")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The issuer of development as a process of its own; gives its address."""
    folder = tmp_path_factory.mktemp("issuer")
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    told = {"BANGFU_ISSUER": address, "BANGFU_SIGNING_KEY": str(folder / "key.pem")}
    command = ("-m", "uvicorn", "--factory", "deploy.local.issuer:create", "--port", str(port))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, env=os.environ | told)
    try:
        await until(lambda: _ready(address), what="the issuer", every=0.05)
        yield address
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def office(
    notify: ServiceDatabase,
    worker: Database,
    client_of: ClientOf,
    settings_of: SettingsOf,
    issuer: str,
) -> httpx.AsyncClient:
    """A browser at a console whose officers sign in at ``issuer``."""
    settings = settings_of(
        "notify",
        notify,
        token_issuer=issuer,
        jwks_url=f"{issuer}/jwks.json",
        console_url="http://127.0.0.1",
    )
    return await client_of("notify", notify, settings=settings)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The system's Chromium. Without one the browser tests fail with what to do."""
    if not CHROMIUM.exists():
        pytest.fail(
            "no Chromium for the console's tests: apt-get install chromium fonts-noto-cjk",
            pytrace=False,
        )
    return CHROMIUM


@pytest.fixture(scope="session")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """One headless Chromium for the session."""
    async with async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        await opened.close()


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Page]:
    """A fresh tab, 1366×768; whatever a page complains of fails the test."""
    context = await browser.new_context(
        viewport={"width": 1366, "height": 768}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if _of_ours(said) else None)
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    yield page
    await context.close()
    assert complaints == []


def _of_ours(said: Any) -> bool:
    """Errors and broken security policies, but for the issuer's missing icon."""
    return said.type == "error" and "favicon.ico" not in str(said.location)


async def _ready(address: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"{address}/readyz")).is_success
    except httpx.HTTPError:
        return False
