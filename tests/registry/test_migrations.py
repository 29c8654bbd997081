"""The registry's own tables: models and migrations say the same, up and down again."""

import asyncio

from services.registry import db
from shared import migrations
from tests.conftest import DatabaseOf


async def test_models_and_migrations_agree(database_of: DatabaseOf) -> None:
    database = await database_of("registry")

    await asyncio.to_thread(migrations.check, "registry", database.owner_url)

    assert len(db.metadatas()) == 4


async def test_down_and_up_again(database_of: DatabaseOf) -> None:
    database = await database_of("registry")

    await asyncio.to_thread(migrations.downgrade, "registry", database.owner_url, "0001")
    await asyncio.to_thread(migrations.upgrade, "registry", database.owner_url)
    await asyncio.to_thread(migrations.check, "registry", database.owner_url)
