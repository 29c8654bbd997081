"""What days bring by themselves: 16th birthdays, retirement, chunk by chunk, once (C44, R30)."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.employment.labour import actions
from services.employment.labour.ages import working_age
from shared import clock
from shared.contracts.registry import LaborAbility, Sex, Work
from shared.db import Database
from tests.employment.support import (
    GUARANTEES,
    advance_to,
    birthday,
    cases,
    everything,
    guarantee,
    load_calendar,
    movable_clock,
    profiles,
    receive,
    rows,
    set_figure,
    turn,
    worker_of,
)
from tests.support.builders import household, member


@pytest.fixture(autouse=True)
def moved(tmp_path: Path) -> Iterator[None]:
    with movable_clock(tmp_path):
        yield


async def test_the_sixteenth_birthday_opens_a_profile_and_a_case(worker: Database) -> None:
    turns = clock.today() + timedelta(days=7)
    child = member(birth_date=clock.add_months(turns, -16 * 12))
    state = household(members=[child, member(birth_date=birthday(80))])
    await receive(worker, state)
    assert await guarantee(worker, state.household_id) == (True, "exempt:no_able_member")
    advance_to(turns - timedelta(days=1))
    await turn(worker)
    assert await profiles(worker) == {}
    advance_to(turns)
    await turn(worker)
    assert (await profiles(worker))[child.person_id]["status"] == "unemployed"
    assert (await cases(worker))[0]["opened_on"] == turns
    assert await guarantee(worker, state.household_id) == (False, "zero_employment")


async def test_retirement_rests_a_profile_and_ends_the_case_as_exempt(worker: Database) -> None:
    born = date(1971, 12, 20)
    woman = worker_of(sex=Sex.FEMALE, birth_date=born)
    retires = working_age(Sex.FEMALE, born).ends_on
    assert retires > clock.today(), "the test needs a later year of birth"
    state = household(members=[woman])
    await receive(worker, state)
    advance_to(retires)
    await turn(worker)
    row = (await profiles(worker))[woman.person_id]
    assert (row["status"], row["reasons"][0]) == ("resting", "past_working_age")
    (case,) = await cases(worker)
    assert (case["outcome"], case["closed_on"]) == ("exempt", retires)


async def test_sixty_ends_the_ability_that_was_never_known(worker: Database) -> None:
    turns = clock.today() + timedelta(days=30)
    born = clock.add_months(turns, -60 * 12)
    unknown, known = (
        worker_of(birth_date=born),
        worker_of(birth_date=born, labor_ability=LaborAbility.WEAK),
    )
    await receive(worker, household(members=[unknown]), household(members=[known]))
    advance_to(turns)
    await turn(worker)
    found = await profiles(worker)
    assert found[unknown.person_id]["status"] == "not_able"
    assert found[known.person_id]["status"] == "unemployed"


async def test_a_turn_goes_in_chunks_and_repeated_it_writes_nothing(
    worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "CHUNK", 3)
    turns = clock.today() + timedelta(days=1)
    young = [
        household(members=[member(birth_date=clock.add_months(turns, -192))]) for _ in "1234567"
    ]
    settled = household(members=[worker_of(Work.FARMING)])
    await receive(worker, *young, settled)
    advance_to(turns)
    left = []
    for _ in range(3):
        async with worker.transaction() as session:
            left.append(await actions.look_again(session, turns))
    assert left == [True, True, False]
    assert len(await cases(worker)) == 7
    assert len(await rows(worker, GUARANTEES)) == 8 + 7
    before = await everything(worker)
    await turn(worker)
    assert await everything(worker) == before


async def test_the_days_are_found_by_an_index(worker: Database) -> None:
    (found,) = await rows(
        worker,
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_household_labour_look_again'",
    )
    assert "(look_again_on, household_id)" in found["indexdef"]


async def test_a_deadline_is_reckoned_in_working_days_and_follows_the_calendar(
    worker: Database,
) -> None:
    """Provisional until the calendar is there, then settled; none without an approved limit."""
    opened = clock.today()
    await receive(worker, household(members=[worker_of()]))
    (case,) = await cases(worker)
    assert (case["offer_due_on"], case["offer_due_provisional"]) == (None, False)
    await set_figure(worker, "emp.offer_working_days", 1, date(2026, 1, 1), division="331100")
    await turn(worker)
    (case,) = await cases(worker)
    assert case["offer_due_provisional"]
    assert case["offer_due_on"] > opened
    await load_calendar(worker)
    await turn(worker)
    (case,) = await cases(worker)
    assert not case["offer_due_provisional"]
    before = await everything(worker)
    await turn(worker)
    assert await everything(worker) == before
