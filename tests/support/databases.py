"""Databases for tests: each service's is migrated once a session, then copied for every test."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg

from deploy.local import provision
from deploy.local.provision import ServiceDatabase
from shared import migrations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DatabaseOf = Callable[[str], Awaitable[ServiceDatabase]]

PASSWORDS = {role: f"test-{role}" for role in provision.ROLES}


class Databases:
    """Hands out migrated databases on one real server. Copies are dropped by who asked for them."""

    def __init__(self, admin_url: str, passwords: Mapping[str, str] = PASSWORDS) -> None:
        self.admin_url = admin_url
        self._passwords = passwords
        self._migrated: set[str] = set()
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def copy(self, service: str) -> "AsyncIterator[ServiceDatabase]":
        """A fresh copy of this service's migrated database, dropped at the end."""
        name = f"{service}_{uuid4().hex[:12]}"
        async with self._one_at_a_time:
            await self._migrate(service)
            await self._execute(
                f'CREATE DATABASE "{name}" OWNER {service}_owner TEMPLATE {service} '
                f"STRATEGY WAL_LOG"
            )
            connection = await asyncpg.connect(self.admin_url)
            try:
                await provision.close_doors(connection, service, name)
            finally:
                await connection.close()
        try:
            yield provision.addresses(self.admin_url, service, self._passwords, name=name)
        finally:
            await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _migrate(self, service: str) -> None:
        if service in self._migrated:
            return
        owner_url = provision.addresses(self.admin_url, service, self._passwords).owner_url
        await asyncio.to_thread(migrations.upgrade, service, owner_url)
        self._migrated.add(service)

    async def _execute(self, order: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(order)
        finally:
            await connection.close()
