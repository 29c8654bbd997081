"""The whole platform as `make up` starts it, for journeys: six services, an api and a worker each.

Own home and ports; the movable clock is a file that all its processes read.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from deploy.local import fleet, provision, sample
from deploy.local.layout import Layout
from deploy.local.progress import Show
from deploy.local.stack import Stack
from deploy.local.tokens import open_signer
from shared import clock
from tests.support.ports import free_base

COUNTY = "331124"


@dataclass(frozen=True, slots=True)
class Platform:
    """A running stack and a way to ask it; tokens are of its own issuer and its own time."""

    layout: Layout
    stack: Stack
    databases: dict[str, provision.ServiceDatabase]
    client: httpx.AsyncClient

    async def ask(
        self,
        method: str,
        service: str,
        path: str,
        *,
        scopes: str,
        officer: str | None = "o1",
        divisions: tuple[str, ...] = (COUNTY,),
        **content: Any,
    ) -> httpx.Response:
        """One request with a fresh token; a POST gets a fresh Idempotency-Key."""
        signer = open_signer(self.layout.signing_key, self.layout.issuer)
        token = signer.sign(scopes=scopes.split(), officer=officer, divisions=divisions)
        headers = {"Authorization": f"Bearer {token}", **content.pop("headers", {})}
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid4()))
        url = self.layout.api(service) + path
        return await self.client.request(method, url, headers=headers, **content)

    async def stop_worker(self, service: str) -> None:
        """End a service's worker; nothing starts it again by itself."""
        await self.stack.processes.stop(f"{service}-worker")

    def start_worker(self, service: str) -> None:
        """Start a stopped worker again."""
        for program in fleet.programs(self.layout, self.databases):
            if program.name == f"{service}-worker":
                self.stack.processes.start(program)

    def advance_to(self, day: date) -> datetime:
        """Move everybody's clock to noon of a later day, Asia/Shanghai."""
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=clock.SHANGHAI)
        return clock.advance(noon - clock.now())

    def advance(self, days: int) -> date:
        """Move everybody's clock forward so many days, to noon; gives the new day."""
        day = clock.today() + timedelta(days=days)
        self.advance_to(day)
        return day


@asynccontextmanager
async def running_platform(home: Path, *, with_sample: bool) -> AsyncIterator[Platform]:
    """Start everything, with the sample county if asked; stop everything at the end.

    While it runs, this process goes by the platform's clock as well.
    """
    layout = Layout(home=home, port=free_base())
    show = Show()
    stack = Stack(layout, show)
    clock.configure(layout.clock_file, "development")
    try:
        databases = await stack.start()
        if with_sample:
            await sample.load(layout, show)
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            yield Platform(layout, stack, databases, client)
    finally:
        clock.configure(None, "development")
        await stack.stop()
