"""Down and up again: households copied before there were files are settled by the next day."""

import asyncio
from datetime import date

from deploy.local.provision import ServiceDatabase
from shared import migrations
from shared.db import Database
from tests.education.support import child, family, files, guarantee_of, receive, turn


async def test_what_was_copied_before_is_settled_by_the_first_turn(
    education: ServiceDatabase, worker: Database
) -> None:
    pupil = child()
    state = family(pupil)
    await receive(worker, state)
    url = education.owner_url
    await asyncio.to_thread(migrations.downgrade, "education", url, "0001")
    await asyncio.to_thread(migrations.upgrade, "education", url)
    await asyncio.to_thread(migrations.check, "education", url)
    assert await files(worker) == {}
    await turn(worker, date(2026, 11, 24))
    assert set(await files(worker)) == {pupil.person_id}
    assert await guarantee_of(worker, state.household_id) is not None
