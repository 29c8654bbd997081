from typing import Any

import asyncpg
import pytest

from deploy.local import provision
from deploy.local.provision import KINDS, SERVICES
from tests.support.databases import PASSWORDS, DatabaseOf

EVERYTHING = """
SELECT array_agg(line ORDER BY line) FROM (
    SELECT concat_ws(' ', rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolcanlogin)
      FROM pg_roles WHERE rolname = ANY ($1)
    UNION ALL SELECT concat_ws(' ', datname, datacl, pg_encoding_to_char(encoding), datlocale)
      FROM pg_database WHERE datname = ANY ($2)
) AS stand (line)
"""


async def test_running_it_again_changes_nothing(postgres: str) -> None:
    before = await _stand(postgres)

    await provision.provision(postgres, PASSWORDS)

    assert await _stand(postgres) == before
    assert len(before) == 24


async def test_a_changed_attribute_is_brought_back_into_line(postgres: str) -> None:
    before = await _stand(postgres)
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute("ALTER ROLE relief_api BYPASSRLS PASSWORD 'stolen'")
        await connection.execute("GRANT CONNECT ON DATABASE registry TO PUBLIC")
    finally:
        await connection.close()

    await provision.provision(postgres, PASSWORDS)

    assert await _stand(postgres) == before
    await _connect(provision.addresses(postgres, "relief", PASSWORDS).api_url)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_role_gets_into_its_own_database_and_no_other(
    postgres: str, service: str, kind: str
) -> None:
    own = getattr(provision.addresses(postgres, service, PASSWORDS), f"{kind}_url")
    await _connect(own)

    elsewhere = [name for name in (*SERVICES, "postgres", "template1") if name != service]
    for other in elsewhere:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for data"):
            await _connect(own.rsplit("/", 1)[0] + f"/{other}")


async def test_a_copy_for_a_test_is_as_closed_as_the_original(
    database_of: DatabaseOf, postgres: str
) -> None:
    mine = await database_of("registry")
    stranger = provision.addresses(postgres, "relief", PASSWORDS, name=mine.name)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _connect(stranger.worker_url)


async def test_only_workers_pass_row_level_security_by(postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    try:
        passing = await connection.fetch(
            "SELECT rolname FROM pg_roles WHERE rolbypassrls AND NOT rolsuper"
        )
        mighty = await connection.fetchval(
            "SELECT count(*) FROM pg_roles WHERE rolname = ANY ($1) "
            "AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication)",
            list(provision.ROLES),
        )
    finally:
        await connection.close()

    assert {row["rolname"] for row in passing} == {f"{name}_worker" for name in SERVICES}
    assert mighty == 0


async def _connect(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.close()


async def _stand(admin_url: str) -> Any:
    connection = await asyncpg.connect(admin_url)
    try:
        return await connection.fetchval(EVERYTHING, list(provision.ROLES), list(SERVICES))
    finally:
        await connection.close()
