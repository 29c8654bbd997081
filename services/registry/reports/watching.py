"""Falls of income go on the board; who is no longer watched comes off it (C9).

The households capability calls ``rewatch`` within a change itself, so nothing of its writers is
imported here.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.helpers.fitting import Refit
from services.registry.reports import incomes
from services.registry.reports.incomes import Years
from services.registry.reports.models import IncomeFall
from services.registry.reports.rules import (
    FALL_PERCENT,
    FALL_WORKING_DAYS,
    WATCHED,
    FallOutcome,
)
from services.registry.tasks import actions as tasks
from services.registry.tasks.actions import Opening
from services.registry.tasks.models import TaskKind
from services.registry.tasks.queries import deadlines
from shared import clock, identity, parameters
from shared.db import among

CHUNK = 1_000
"""Households of a county at a time."""


async def ask_falls(session: AsyncSession, day: date) -> bool:
    """A turn of the day: ask about each income that fell from the year before last to the last.

    As known today, so that what is entered late is seen late. A county without
    ``reports.income_fall_percent`` is not watched. One county a transaction: its households are
    held until the end.
    """
    counties = await session.scalars(text("SELECT code FROM divisions WHERE level = 'county'"))
    years = Years.of(day.year - 1, today=day)
    for county in counties.all():
        value = await parameters.value_at(session, FALL_PERCENT, county, day)
        if value is not None:
            rows = await incomes.fallen(session, years, county, value.value, limit=CHUNK)
            told = {"year": years.year, "percent": value.value}
            if rows:
                await _ask(session, [{**row, **told} for row in rows], day)
                return True
    return False


async def _ask(session: AsyncSession, rows: Sequence[Mapping[str, Any]], day: date) -> None:
    """Keep these falls, each with its task."""
    if not rows:
        return
    now = clock.now()
    found = [
        {**row, "income_fall_id": identity.new_id(), "opened_on": day, "recorded_at": now}
        for row in rows
    ]
    await session.execute(insert(IncomeFall), found)
    places = {row["division_code"] for row in rows}
    limits = await deadlines(session, FALL_WORKING_DAYS, places, day)
    await tasks.open_tasks(
        session,
        [
            Opening(
                kind=TaskKind.INCOME_FALL,
                subject_id=each["income_fall_id"],
                household_id=each["household_id"],
                division_code=each["division_code"],
                due=limits[each["division_code"]],
            )
            for each in found
        ],
    )


async def rewatch(session: AsyncSession, changes: Sequence[Refit]) -> None:
    """A household that is neither on assistance nor in tracking any more is asked about no more."""
    left = [
        each.household_id
        for each in changes
        if each.old.state in WATCHED and each.new.state not in WATCHED
    ]
    if not left:
        return
    ended = await session.scalars(
        update(IncomeFall)
        .where(among(IncomeFall.household_id, left), IncomeFall.outcome.is_(None))
        .values(
            outcome=FallOutcome.HOUSEHOLD_LEFT,
            settled_on=clock.today(),
            recorded_at=clock.now(),
        )
        .returning(IncomeFall.income_fall_id)
    )
    await tasks.close_tasks(session, kind=TaskKind.INCOME_FALL, subject_ids=ended.all())
