"""A database put back to an earlier moment, as an operator restores a backup."""

from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from deploy.local import provision
from deploy.local.provision import ServiceDatabase


@dataclass(frozen=True)
class Backup:
    """A copy of one service's database, taken on the server at one moment."""

    admin_url: str
    service: str
    database: ServiceDatabase
    copy: str

    async def restore(self) -> None:
        """Put the copy in the database's place; whoever was connected is cut off."""
        name = self.database.name
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            await connection.execute(f'ALTER DATABASE "{self.copy}" RENAME TO "{name}"')
            await provision.close_doors(connection, self.service, name)
        finally:
            await connection.close()


async def back_up(admin_url: str, service: str, database: ServiceDatabase) -> Backup:
    """Copy the database as it stands now; its sessions are cut off and must come back."""
    copy, name = f"{service}_{uuid4().hex[:12]}", database.name
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", name
        )
        await connection.execute(
            f'CREATE DATABASE "{copy}" OWNER {service}_owner TEMPLATE "{name}" STRATEGY WAL_LOG'
        )
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    finally:
        await connection.close()
    return Backup(admin_url, service, database, copy)
