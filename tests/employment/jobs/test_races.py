"""Officers who meet each other, an event or a turn: one wins, nothing is lost (C45)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from services.employment.households.handlers import on_households
from services.employment.jobs import actions
from services.employment.jobs.rules import EndReason, Kind, Term
from shared import clock
from shared.auth import Caller
from shared.contracts.registry import HouseholdState, LaborAbility, Member, Work
from shared.db import Database
from shared.errors import Conflict, PreconditionFailed, Problem, Refused
from tests.employment.support import (
    ASSISTED,
    advance_to,
    blocked,
    cases,
    guarantee,
    movable_clock,
    profiles,
    receive,
    rows,
    turn,
    with_members,
    worker_of,
)
from tests.support.builders import household, household_event
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("figures")

OFFICER = Caller(sub="officer", officer_id="o1", divisions=("331124",))
Write = Callable[[AsyncSession], Awaitable[Any]]


def placing(person: Member, kind: Kind = Kind.CONTRACT) -> Write:
    order = actions.Order(person_id=person.person_id, kind=kind, term=Term(begins_on=clock.today()))
    return lambda session: actions.place(session, OFFICER, order)


@dataclass(frozen=True)
class At:
    """Something written, and as which role."""

    database: Database
    write: Write

    async def __call__(self) -> Any:
        async with self.database.transaction(divisions=OFFICER.divisions) as session:
            return await self.write(session)


async def second_waits(worker: Database, first: At, second: At) -> Any:
    """Both at once: ``second`` begins while ``first`` is not committed, and waits for it."""
    async with first.database.transaction(divisions=OFFICER.divisions) as session:
        await first.write(session)
        waiting = asyncio.create_task(second())
        await until(lambda: blocked(worker), what="the second to wait for the first")
    return (await asyncio.gather(waiting, return_exceptions=True))[0]


async def test_two_officers_place_the_same_person(worker: Database, api_role: Database) -> None:
    person = worker_of()
    await receive(worker, household(members=[person]))
    lost = await second_waits(worker, At(api_role, placing(person)), At(api_role, placing(person)))
    assert isinstance(lost, Conflict)
    assert lost.code == "placement_open"
    assert len(await rows(worker, "SELECT 1 FROM placements")) == 1
    assert len(await rows(worker, ASSISTED)) == 1


async def test_two_officers_place_two_members_of_one_household(
    worker: Database, api_role: Database
) -> None:
    one, other = worker_of(), worker_of()
    state = household(members=[one, other])
    await receive(worker, state)
    done = await second_waits(worker, At(api_role, placing(one)), At(api_role, placing(other)))
    assert not isinstance(done, Problem), done
    (case,) = await cases(worker)
    assert case["outcome"] == "employed"
    assert {row["status"] for row in (await profiles(worker)).values()} == {"employed"}


async def test_two_officers_end_the_same_placement(worker: Database, api_role: Database) -> None:
    person = worker_of()
    await receive(worker, household(members=[person]))
    made = await At(api_role, placing(person))()

    def ending(session: AsyncSession) -> Awaitable[Any]:
        return actions.end(
            session,
            OFFICER,
            made["placement_id"],
            ended_on=clock.today(),
            reason=EndReason.RESIGNED,
            revision=1,
        )

    lost = await second_waits(worker, At(api_role, ending), At(api_role, ending))
    assert isinstance(lost, PreconditionFailed)
    assert len([case for case in await cases(worker) if case["closed_on"] is None]) == 1


def arriving(state: HouseholdState, version: int = 2) -> Write:
    return lambda session: on_households(session, [household_event(state, version=version)])


async def test_an_event_waits_for_a_placement_and_then_counts_it(
    worker: Database, api_role: Database
) -> None:
    person = worker_of()
    state = household(members=[person])
    await receive(worker, state)
    newer = with_members(state, person.model_copy(update={"work": Work.NOT_WORKING}))
    await second_waits(worker, At(api_role, placing(person)), At(worker, arriving(newer)))
    (case,) = await cases(worker)
    assert case["outcome"] == "employed"
    assert (await guarantee(worker, state.household_id))[0]


async def test_a_placement_waits_for_an_event_and_is_judged_by_it(
    worker: Database, api_role: Database
) -> None:
    person = worker_of()
    state = household(members=[person])
    await receive(worker, state)
    ill = with_members(state, person.model_copy(update={"labor_ability": LaborAbility.LOST}))
    lost = await second_waits(worker, At(worker, arriving(ill)), At(api_role, placing(person)))
    assert isinstance(lost, Refused)
    assert lost.code == "not_able"
    assert await rows(worker, "SELECT 1 FROM placements") == []


@pytest.mark.parametrize("newer_last", [True, False])
async def test_one_new_person_on_two_files_that_arrive_at_once_has_one_profile(
    worker: Database, newer_last: bool
) -> None:
    """Two workers open the same profile: the second decides again with what the first stored."""
    person = worker_of()
    older = household(members=[person])
    newer = household(members=[person], effective_from=date(2026, 6, 1))
    first, second = (older, newer) if newer_last else (newer, older)
    ones = At(worker, arriving(first, 1)), At(worker, arriving(second, 1))
    assert await second_waits(worker, *ones) is None
    row = (await profiles(worker))[person.person_id]
    assert row["household_id"] == newer.household_id


async def test_two_workers_turn_the_same_day(
    worker: Database, api_role: Database, tmp_path: Path
) -> None:
    person = worker_of()
    await receive(worker, household(members=[person]))
    await At(api_role, placing(person, Kind.MIGRANT_WORK))()
    with movable_clock(tmp_path):
        advance_to(clock.add_months(clock.today(), 3))
        await asyncio.gather(turn(worker), turn(worker))
        (case,) = await cases(worker)
        assert case["outcome"] == "employed"
        assert len(await rows(worker, ASSISTED)) == 1
