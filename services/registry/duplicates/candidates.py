"""Noting pairs of people who may be one, where people are written and over all of them."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared import clock
from shared.db import driver_of


async def note(session: AsyncSession, person_ids: Iterable[UUID]) -> None:
    """Note every pair that one of these people makes with anybody, each with a task, once.

    One statement for any number of people. It looks past the divisions; a pair is seen only by who
    covers both. A pair that was decided is not noted again.
    """
    people = list(person_ids)
    if people:
        await driver_of(session).execute(
            "SELECT note_duplicates($1::uuid[], $2, $3)", people, clock.today(), clock.now()
        )
