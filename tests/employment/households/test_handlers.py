"""Households arriving as the consumer hands them over: once, twice, late, moved, a whole county."""

import time
from datetime import date
from itertools import permutations

import pytest

from services.employment.worker import SUBSCRIPTIONS
from shared import clock
from shared.applying import Applier, Tally
from shared.contracts.envelope import Envelope
from shared.contracts.registry import (
    Category,
    HouseholdEvent,
    LaborAbility,
    SchoolStage,
    Sex,
    State,
    Work,
)
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.parking import Arrival
from tests.contracts.sample_events import load
from tests.employment.support import (
    GUARANTEES,
    birthday,
    cases,
    everything,
    guarantee,
    in_state,
    profiles,
    receive,
    rows,
    with_members,
    worker_of,
)
from tests.support.builders import household, household_event, member

OTHER_VILLAGE = "331124101201"


async def take(worker: Database, *envelopes: Envelope) -> Tally:
    """One batch, one transaction, as the consumer does it."""
    arrivals = [
        Arrival(
            topic=HOUSEHOLDS.name,
            partition=0,
            offset=offset,
            key=each.key.encode(),
            value=each.data,
            headers=each.headers(),
        )
        for offset, each in enumerate(envelopes)
    ]
    async with worker.transaction() as session:
        return await Applier(SUBSCRIPTIONS).take(session, arrivals)


async def test_a_household_gets_its_profiles_its_case_and_its_guarantee(worker: Database) -> None:
    idle, pupil = worker_of(), member(birth_date=birthday(15), school_stage=SchoolStage.JUNIOR)
    old, ill = member(birth_date=birthday(71)), worker_of(labor_ability=LaborAbility.LOST)
    student = worker_of(birth_date=birthday(18), school_stage=SchoolStage.COLLEGE)
    state = household(members=[idle, pupil, old, ill, student])
    await take(worker, household_event(state))
    found = {person: row["status"] for person, row in (await profiles(worker)).items()}
    assert found == {
        idle.person_id: "unemployed",
        ill.person_id: "not_able",
        student.person_id: "student",
    }
    (case,) = await cases(worker)
    assert (case["household_id"], case["person_ids"]) == (state.household_id, [idle.person_id])
    assert (case["opened_on"], case["closed_on"]) == (clock.today(), None)
    assert await guarantee(worker, state.household_id) == (False, "zero_employment")
    (told,) = await rows(worker, "SELECT * FROM events")
    assert (told["type"], told["topic"]) == (
        "bangfu.guarantee.changed.v1",
        "employment.assistance",
    )
    (line,) = await rows(worker, "SELECT * FROM audit_log")
    assert (line["action"], line["subject_id"]) == ("labour.settled", str(state.household_id))


async def test_a_profile_says_what_it_rests_on(worker: Database) -> None:
    farmer = worker_of(Work.FARMING, labor_ability=LaborAbility.WEAK)
    await receive(worker, household(members=[farmer]))
    row = (await profiles(worker))[farmer.person_id]
    assert (row["able"], row["willing"], row["since"]) == (True, True, clock.today())
    assert row["reasons"] == ["labor_weak", "willing_unstated", "work_farming"]
    assert row["facts"]["labor_ability"] == "weak"
    assert (row["facts"]["working_age_from"], row["facts"]["working_age_ends_on"]) == (
        "2001-03-01",
        "2048-03-01",
    )


async def test_twice(worker: Database) -> None:
    event = household_event(household(members=[worker_of()]))
    await take(worker, event)
    before = await everything(worker)
    tally = await take(worker, event)
    assert tally.stale[HOUSEHOLDS.name] == 1
    assert await everything(worker) == before


async def test_a_new_version_with_the_same_facts_writes_nothing(worker: Database) -> None:
    state = household(members=[worker_of(), worker_of(Work.FARMING)])
    await receive(worker, state)
    before = await everything(worker)
    await receive(
        worker, state.model_copy(update={"rigid_expenses": state.rigid_expenses}), version=2
    )
    assert await everything(worker) == before


@pytest.mark.parametrize("order", [*permutations((1, 2, 3)), (1, 3), (3,), (3, 3, 1, 2, 1)])
async def test_late_repeated_and_skipped_versions_come_to_the_same(
    worker: Database, order: tuple[int, ...]
) -> None:
    person = worker_of()
    first = household(members=[person])
    working = with_members(first, person.model_copy(update={"work": Work.FLEXIBLE}))
    versions = {1: first, 2: in_state(first, State.LIFTED), 3: in_state(working, State.RETURNED)}
    for version in order:
        await receive(worker, versions[version], version=version)
    row = (await profiles(worker))[person.person_id]
    assert (row["status"], row["household_id"]) == ("employed", first.household_id)
    assert [case for case in await cases(worker) if case["closed_on"] is None] == []
    assert await guarantee(worker, first.household_id) == (True, f"work:{person.person_id}")


async def test_the_case_closes_when_somebody_works_and_opens_again_when_not(
    worker: Database,
) -> None:
    person = worker_of()
    idle = household(members=[person])
    working = with_members(idle, person.model_copy(update={"work": Work.MIGRANT_IN_COUNTY}))
    for version, state in enumerate((idle, working, idle), start=1):
        await receive(worker, state, version=version)
    first, second = await cases(worker)
    assert (first["outcome"], first["closing_evidence"]) == ("employed", f"work:{person.person_id}")
    assert second["closed_on"] is None
    told = await rows(worker, GUARANTEES)
    assert [row["aggregate_version"] for row in told] == [1, 2, 3]


async def test_exempt_is_no_failure(worker: Database) -> None:
    person = worker_of()
    state = household(members=[person])
    await receive(worker, state)
    ill = with_members(state, person.model_copy(update={"labor_ability": LaborAbility.LOST}))
    await receive(worker, ill, version=2)
    (case,) = await cases(worker)
    assert case["outcome"] == "exempt"
    assert await guarantee(worker, state.household_id) == (True, "exempt:no_able_member")
    unwilling = with_members(state, person.model_copy(update={"willing_to_work": False}))
    await receive(worker, unwilling, version=3)
    assert await guarantee(worker, state.household_id) == (True, "exempt:none_willing")
    assert (await profiles(worker))[person.person_id]["status"] == "not_willing"


async def test_all_five_categories(worker: Database) -> None:
    await receive(
        worker, *(household(members=[worker_of()], category=category) for category in Category)
    )
    assert len(await cases(worker)) == len(Category)


@pytest.mark.parametrize("state_after", [State.LIFTED, State.EXITED, State.CLOSED])
async def test_off_assistance_profiles_rest_and_the_case_closes(
    worker: Database, state_after: State
) -> None:
    person = worker_of()
    state = household(members=[person])
    await receive(worker, state)
    await receive(worker, in_state(state, state_after), version=2)
    row = (await profiles(worker))[person.person_id]
    assert (row["status"], row["reasons"][0]) == ("resting", f"household_{state_after}")
    (case,) = await cases(worker)
    assert case["outcome"] == "left_assistance"
    assert await guarantee(worker, state.household_id) == (False, "zero_employment")
    await receive(worker, in_state(state, State.RETURNED), version=3)
    assert (await profiles(worker))[person.person_id]["status"] == "unemployed"
    assert [each["closed_on"] is None for each in await cases(worker)] == [False, True]


async def test_a_household_that_was_never_on_assistance_gets_a_guarantee_only(
    worker: Database,
) -> None:
    state = household(members=[worker_of()], state=State.LIFTED)
    await receive(worker, state)
    assert (await profiles(worker), await cases(worker)) == ({}, [])
    assert await guarantee(worker, state.household_id) == (False, "zero_employment")
    await receive(worker, household(members=[worker_of()], state=State.CLOSED))
    assert len(await rows(worker, "SELECT 1 FROM guarantees_given")) == 1


async def test_a_member_who_leaves_keeps_a_resting_profile(worker: Database) -> None:
    stays, leaves = worker_of(Work.FARMING), worker_of()
    state = household(members=[stays, leaves])
    await receive(worker, state)
    await receive(worker, with_members(state, stays), version=2)
    row = (await profiles(worker))[leaves.person_id]
    assert (row["status"], row["reasons"]) == ("resting", ["no_longer_a_member"])
    assert row["household_id"] == state.household_id


@pytest.mark.parametrize("order", [*permutations((0, 1, 2)), (2, 1, 0, 1)])
async def test_who_moves_keeps_the_profile_whichever_file_arrives_first(
    worker: Database, order: tuple[int, ...]
) -> None:
    mover, farmer = worker_of(), worker_of(Work.FARMING)
    old = household(members=[farmer, mover])
    new = household(members=[mover], division_code=OTHER_VILLAGE, effective_from=date(2026, 6, 1))
    arrivals = ((old, 1), (with_members(old, farmer), 2), (new, 1))
    for each in order:
        state, version = arrivals[each]
        await receive(worker, state, version=version)
    assert len(await profiles(worker)) == 2
    row = (await profiles(worker))[mover.person_id]
    assert (row["household_id"], row["division_code"]) == (new.household_id, OTHER_VILLAGE)
    assert row["status"] == "unemployed"
    assert [case["household_id"] for case in await cases(worker)] == [new.household_id]


async def test_a_household_that_moves_takes_all_along(worker: Database) -> None:
    state = household(members=[worker_of()])
    await receive(worker, state)
    told = await rows(worker, "SELECT 1 FROM events")
    await receive(worker, state.model_copy(update={"division_code": OTHER_VILLAGE}), version=2)
    for table in ("labour_profiles", "household_labour", "zero_employment_cases"):
        (row,) = await rows(worker, f"SELECT division_code FROM {table}")  # noqa: S608 (above)
        assert row["division_code"] == OTHER_VILLAGE, table
    assert await rows(worker, "SELECT 1 FROM events") == told, "a move is no news"


async def test_every_type_is_known_and_the_stored_samples_are_understood(worker: Database) -> None:
    samples = [load(str(type_)).envelope for type_ in HouseholdEvent]
    tally = await take(worker, *samples)
    assert (tally.parked.total(), tally.unknown.total()) == (0, 0)
    known = await rows(worker, "SELECT household_id FROM household_labour")
    assert {str(row["household_id"]) for row in known} == {each.subject for each in samples}


async def test_a_broken_household_is_parked_and_holds_nobody_up(worker: Database) -> None:
    good, bad = household(members=[worker_of()]), household()
    broken = household_event(bad, data=b'{"household_id": "nobody"}')
    tally = await take(worker, broken, household_event(good))
    assert (tally.parked[HOUSEHOLDS.name], tally.applied[HOUSEHOLDS.name]) == (1, 1)
    assert len(await cases(worker)) == 1


async def test_a_thousand_households_are_one_quick_batch(worker: Database, figures: None) -> None:
    """Set by set: the time does not grow with a round trip a household."""
    states = [
        household(members=[worker_of(), member(sex=Sex.FEMALE), worker_of(Work.NOT_WORKING)])
        for _ in range(1000)
    ]
    events = [household_event(state) for state in states]
    begun = time.perf_counter()
    await take(worker, *events)
    first = time.perf_counter() - begun
    assert len(await cases(worker)) == 1000
    assert len(await profiles(worker)) == 3000
    assert first < 5, f"1000 households took {first:.2f} s"
    newer = [household_event(state, version=2) for state in states]
    told = await rows(worker, "SELECT 1 FROM events")
    await take(worker, *newer)
    assert await rows(worker, "SELECT 1 FROM events") == told
