"""Relief's own tables: models and migrations say the same, up and down again."""

import asyncio

from deploy.local.provision import ServiceDatabase
from shared import migrations


async def test_models_and_migrations_agree(relief: ServiceDatabase) -> None:
    await asyncio.to_thread(migrations.check, "relief", relief.owner_url)


async def test_down_and_up_again(relief: ServiceDatabase) -> None:
    await asyncio.to_thread(migrations.downgrade, "relief", relief.owner_url, "0001")
    await asyncio.to_thread(migrations.upgrade, "relief", relief.owner_url)
    await asyncio.to_thread(migrations.check, "relief", relief.owner_url)
