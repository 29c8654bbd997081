"""A merged household stops everywhere as a closed one does, and an undone merger brings it back."""

import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared import clock
from shared.contracts.registry import (
    HouseGrade,
    HouseholdEvent,
    HouseholdState,
    LaborAbility,
    Relation,
    SchoolStage,
    State,
    Work,
)
from shared.db import Database
from shared.identity import new_id
from tests.conftest import DatabaseOf
from tests.relief.support import set_line
from tests.support.builders import household, household_event, member

STANDING = {
    "relief": """
        SELECT from_month, amount, entitled, reason FROM dibao_grants
        WHERE household_id = :id AND superseded_at IS NULL ORDER BY from_month""",
    "housing": """
        SELECT grade FROM dangerous_house_files
        WHERE household_id = :id AND closed_on IS NULL""",
    "education": """
        SELECT stage, state FROM student_files
        WHERE household_id = :id AND left_on IS NULL ORDER BY stage""",
    "employment": """
        SELECT work.on_assistance, work.able, work.willing, profiles.able AS fit, profiles.status
        FROM household_labour AS work JOIN labour_profiles AS profiles USING (household_id)
        WHERE work.household_id = :id""",
    "notify": """
        SELECT copy.state, count(person_id) AS people
        FROM household_copy AS copy LEFT JOIN member_copy USING (household_id)
        WHERE copy.household_id = :id GROUP BY copy.state""",
}
"""What each service has in hand of a household."""


def needy() -> HouseholdState:
    """A dibao household with all that opens a case anywhere: a D house, a pupil, a jobless man."""
    born = clock.today() - timedelta(days=9 * 366)
    man = member(
        birth_date=date(1985, 3, 1),
        work=Work.UNEMPLOYED,
        labor_ability=LaborAbility.ORDINARY,
        willing_to_work=True,
        school_stage=SchoolStage.NOT_AT_SCHOOL,
    )
    pupil = member(Relation.SON, birth_date=born, school_stage=SchoolStage.PRIMARY)
    return household(members=[man, pupil], house_grade=HouseGrade.D)


def ended(state: HouseholdState, on: date, merged_into: UUID | None = None) -> HouseholdState:
    """The household closed on a day, alone or into another one."""
    period = state.periods[-1].model_copy(update={"valid_from": on, "state": State.CLOSED, "n": 0})
    return state.model_copy(
        update={
            "state": State.CLOSED,
            "members": (),
            "n": 0,
            "merged_into": merged_into,
            "effective_from": on,
            "periods": (*state.periods, period),
        }
    )


@asynccontextmanager
async def worker_of(database_of: DatabaseOf, service: str) -> AsyncIterator[Database]:
    urls = await database_of(service)
    database = Database(urls.worker_url, application_name="test-worker", pool_size=3)
    try:
        yield database
    finally:
        await database.close()


async def hear(
    database: Database, handler: Callable[..., Any], state: HouseholdState, **told: Any
) -> None:
    async with database.transaction() as session:
        await handler(session, [household_event(state, **told)])


async def standing(database: Database, service: str, state: HouseholdState) -> list[dict[str, Any]]:
    async with database.transaction() as session:
        found = await session.execute(text(STANDING[service]), {"id": state.household_id})
        return [dict(row) for row in found.mappings()]


@pytest.mark.parametrize("service", STANDING)
async def test_merged_ends_like_closed_and_undone_is_as_before(
    database_of: DatabaseOf, service: str
) -> None:
    handler = importlib.import_module(f"services.{service}.households.handlers").on_households
    one, other = needy(), needy()
    on = date(2026, 5, 14)
    async with worker_of(database_of, service) as database:
        if service == "relief":
            await set_line(database, "1150", date(2026, 1, 1))
        for state in (one, other):
            await hear(database, handler, state)
        before = await standing(database, service, one)
        assert before

        closed = ended(one, on)
        await hear(database, handler, closed, version=2, type_=HouseholdEvent.CLOSED)
        merged = ended(other, on, new_id())
        await hear(database, handler, merged, version=2, type_=HouseholdEvent.MERGED)

        stopped = await standing(database, service, other)
        assert stopped == await standing(database, service, one)
        assert stopped != before

        undone = other.model_copy(update={"effective_from": on})
        await hear(database, handler, undone, version=3, type_=HouseholdEvent.CHANGED)
        assert await standing(database, service, other) == before


@pytest.mark.parametrize("service", STANDING)
async def test_a_merger_that_comes_after_its_undoing_changes_nothing(
    database_of: DatabaseOf, service: str
) -> None:
    handler = importlib.import_module(f"services.{service}.households.handlers").on_households
    state, on = needy(), date(2026, 5, 14)
    async with worker_of(database_of, service) as database:
        await hear(database, handler, state)
        undone = state.model_copy(update={"effective_from": on})
        await hear(database, handler, undone, version=3, type_=HouseholdEvent.CHANGED)
        before = await standing(database, service, state)

        merged = ended(state, on, new_id())
        await hear(database, handler, merged, version=2, type_=HouseholdEvent.MERGED)

        assert await standing(database, service, state) == before
