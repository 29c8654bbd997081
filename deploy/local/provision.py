"""Six databases, three roles each, nobody in another's house. Safe to run again at any time.

``<service>_owner`` migrates and owns the objects, ``<service>_api`` is held by row-level security,
``<service>_worker`` passes it by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from deploy.local.failures import CannotStartError

SERVICES = ("registry", "relief", "housing", "education", "employment", "notify")
KINDS = ("owner", "api", "worker")
ROLES = tuple(f"{service}_{kind}" for service in SERVICES for kind in KINDS)


@dataclass(frozen=True, kw_only=True)
class ServiceDatabase:
    """The addresses of one service's database, one a role."""

    name: str
    owner_url: str
    api_url: str
    worker_url: str


def addresses(
    admin_url: str, service: str, passwords: Mapping[str, str], *, name: str | None = None
) -> ServiceDatabase:
    """Where ``service`` finds its database (or the copy called ``name``) on this server."""
    database = name or service

    def url(kind: str) -> str:
        role = f"{service}_{kind}"
        return _with_login(admin_url, role, passwords[role], database)

    return ServiceDatabase(
        name=database, owner_url=url("owner"), api_url=url("api"), worker_url=url("worker")
    )


async def provision(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create or repair every role and database. Raises CannotStartError without the rights."""
    connection = await asyncpg.connect(admin_url)
    try:
        await create_roles(connection, passwords)
        for service in SERVICES:
            await _create_database(connection, service)
            await close_doors(connection, service, service)
            await allow_setting(connection, service)
    except asyncpg.InsufficientPrivilegeError as refused:
        raise CannotStartError(
            f"the account of BANGFU_POSTGRES_URL may not prepare the databases ({refused}): "
            f"it must be a superuser"
        ) from refused
    finally:
        await connection.close()
    for service in SERVICES:
        await own_schema(_with_database(admin_url, service), service)


async def create_roles(
    connection: "asyncpg.Connection[asyncpg.Record]", passwords: Mapping[str, str]
) -> None:
    """The eighteen roles with these passwords; existing ones are brought into line."""
    there = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    for role in ROLES:
        order = "ALTER" if role in there else "CREATE"
        bypass = "BYPASSRLS" if role.endswith("_worker") else "NOBYPASSRLS"
        password = passwords[role].replace("'", "''")
        await connection.execute(
            f"{order} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION "
            f"{bypass} PASSWORD '{password}'"
        )


async def allow_setting(connection: "asyncpg.Connection[asyncpg.Record]", service: str) -> None:
    """Let the owner fix bangfu.divisions inside its SECURITY DEFINER functions (``… SET … =``).

    PostgreSQL lets anybody set it in a session, yet stores it with a function only with this right.
    """
    await connection.execute(f"GRANT SET ON PARAMETER bangfu.divisions TO {service}_owner")


async def close_doors(
    connection: "asyncpg.Connection[asyncpg.Record]", service: str, database: str
) -> None:
    """Only the service's own roles may connect; to be done again on every copy of a database."""
    await connection.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
    for kind in KINDS:
        await connection.execute(f'GRANT CONNECT ON DATABASE "{database}" TO {service}_{kind}')


async def close_common_databases(admin_url: str) -> None:
    """On a server that is ours alone: no service's role may look into the common databases."""
    connection = await asyncpg.connect(admin_url)
    try:
        for database in ("postgres", "template1"):
            await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    finally:
        await connection.close()


async def own_schema(database_url: str, service: str) -> None:
    """Schema public belongs to the owner role and is usable by the service's roles alone."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"ALTER SCHEMA public OWNER TO {service}_owner")
        await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        await connection.execute(f"GRANT USAGE ON SCHEMA public TO {service}_api, {service}_worker")
    finally:
        await connection.close()


async def _create_database(connection: "asyncpg.Connection[asyncpg.Record]", service: str) -> None:
    if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", service):
        return
    await connection.execute(
        f"CREATE DATABASE {service} OWNER {service}_owner TEMPLATE template0 ENCODING 'UTF8' "
        f"LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
    )


def _with_login(url: str, role: str, password: str, database: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rsplit("@", 1)[-1]
    login = f"{role}:{quote(password, safe='')}@{place}"
    return urlunsplit(("postgresql", login, f"/{database}", parts.query, ""))


def _with_database(url: str, database: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(("postgresql", parts.netloc, f"/{database}", parts.query, ""))
