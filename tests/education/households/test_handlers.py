"""Households arriving as the consumer hands them over: once, twice, late, at the same time."""

import asyncio
from datetime import date, timedelta
from typing import Any

from services.education.households.handlers import on_households
from services.education.students.actions import CHUNK
from services.education.worker import SUBSCRIPTIONS
from shared import clock
from shared.applying import Applier, Tally
from shared.contracts.envelope import Envelope
from shared.contracts.registry import Education, HouseholdEvent, SchoolStage, State
from shared.contracts.topics import HOUSEHOLDS
from shared.db import Database
from shared.parking import Arrival
from tests.contracts.sample_events import load
from tests.education.support import (
    GUARANTEE,
    blocked,
    child,
    family,
    files,
    gaps,
    guarantee_of,
    history,
    in_state,
    met,
    receive,
    rows,
    told,
    turn,
    with_members,
)
from tests.support.builders import IDENTIFIED_ON, household, household_event, member
from tests.support.waiting import until

NOT, PRIMARY, JUNIOR = SchoolStage.NOT_AT_SCHOOL, SchoolStage.PRIMARY, SchoolStage.JUNIOR


def arrival(envelope: Envelope, offset: int = 0) -> Arrival:
    return Arrival(
        topic=HOUSEHOLDS.name,
        partition=0,
        offset=offset,
        key=envelope.key.encode(),
        value=envelope.data,
        headers=envelope.headers(),
    )


async def take(worker: Database, *envelopes: Envelope) -> Tally:
    """One batch, one transaction, as the consumer does it."""
    async with worker.transaction() as session:
        arrivals = [arrival(each, offset) for offset, each in enumerate(envelopes)]
        return await Applier(SUBSCRIPTIONS).take(session, arrivals)


async def everything(worker: Database) -> list[dict[str, Any]]:
    tables = (
        "household_copy",
        "member_copy",
        "student_files",
        "student_history",
        "school_statements",
        "school_gaps",
        "settled_households",
        "guarantees_given",
        "events",
        "outbox",
        "audit_log",
    )
    found = []
    for table in tables:
        found += await rows(worker, f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608 (above)
    return found


async def test_every_member_at_school_gets_a_file(worker: Database) -> None:
    pupils = [child(stage, left_behind=True) for stage in SchoolStage if stage is not NOT]
    state = family(*pupils, child(NOT, age=3), child(None, age=3))
    await take(worker, household_event(state))
    filed = await files(worker)
    assert set(filed) == {pupil.person_id for pupil in pupils}
    for pupil in pupils:
        row = filed[pupil.person_id]
        assert (row["stage"], row["state"]) == (pupil.school_stage, "enrolled")
        assert (row["household_id"], row["left_behind"]) == (state.household_id, True)
        assert row["division_code"] == state.division_code
        assert row["opened_on"] == clock.today()
        assert await history(worker, pupil.person_id) == [(IDENTIFIED_ON, pupil.school_stage)]


async def test_twice_changes_nothing(worker: Database) -> None:
    event = household_event(family(child(), child(NOT), child(NOT, age=15)))
    await take(worker, event)
    before = await everything(worker)
    assert (await take(worker, event)).stale[HOUSEHOLDS.name] == 1
    assert await everything(worker) == before


async def test_the_same_facts_in_a_new_version_publish_nothing(worker: Database) -> None:
    state = family(child(), child(NOT), child(NOT, age=15))
    await receive(worker, state)
    before = await rows(worker, "SELECT * FROM events")
    await receive(worker, state, version=2)
    assert await rows(worker, "SELECT * FROM events") == before
    assert len(await rows(worker, "SELECT 1 FROM student_history")) == 1


async def test_late_changes_nothing(worker: Database) -> None:
    pupil = child(PRIMARY)
    state = family(pupil)
    promoted = pupil.model_copy(update={"school_stage": JUNIOR})
    later = with_members(state, member(), promoted, effective_from=date(2026, 9, 1))
    await take(worker, household_event(later, version=2))
    before = await everything(worker)
    await take(worker, household_event(state, version=1))
    assert await everything(worker) == before


async def test_another_stage_and_another_household_go_on_in_one_file(worker: Database) -> None:
    pupil = child(PRIMARY)
    state = family(pupil)
    await receive(worker, state)
    pupil = pupil.model_copy(update={"school_stage": JUNIOR})
    state = with_members(state, state.members[0], pupil, effective_from=date(2026, 9, 1))
    await receive(worker, state, version=2)
    moved = family(pupil, effective_from=date(2026, 10, 1), division_code="331102001001")
    await receive(worker, moved)
    await receive(worker, with_members(state, state.members[0]), version=3)
    row = (await files(worker))[pupil.person_id]
    assert (row["household_id"], row["division_code"]) == (moved.household_id, "331102001001")
    assert await history(worker, pupil.person_id) == [
        (IDENTIFIED_ON, "primary"),
        (date(2026, 9, 1), "junior"),
        (date(2026, 10, 1), "junior"),
    ]
    places = await rows(worker, "SELECT DISTINCT division_code FROM student_history")
    assert places == [{"division_code": "331102001001"}], "the whole file moves"


async def test_out_of_one_household_and_later_into_another(worker: Database) -> None:
    """The other order: the file is closed for a while and opened again, the same one."""
    pupil = child()
    state = family(pupil)
    await receive(worker, state)
    await receive(worker, with_members(state, state.members[0]), version=2)
    assert (await files(worker))[pupil.person_id]["state"] == "left"
    moved = family(pupil)
    await receive(worker, moved)
    row = (await files(worker))[pupil.person_id]
    assert (row["state"], row["left_on"], row["household_id"]) == (
        "enrolled",
        None,
        moved.household_id,
    )
    assert [stage for _, stage in await history(worker, pupil.person_id)] == [
        "primary",
        "not_at_school",
        "primary",
    ]


async def test_no_longer_at_school_and_again(worker: Database) -> None:
    pupil = child(SchoolStage.SENIOR, age=17)
    state = family(pupil)
    await receive(worker, state)
    left = with_members(state, member(), pupil.model_copy(update={"school_stage": NOT}))
    await receive(worker, left, version=2)
    row = (await files(worker))[pupil.person_id]
    assert (row["state"], row["left_on"], row["stage"]) == ("left", clock.today(), "senior")
    await receive(worker, state, version=3)
    assert (await files(worker))[pupil.person_id]["state"] == "enrolled"


async def test_lifted_exited_and_returned_on_one_file(worker: Database) -> None:
    pupil = child()
    state = family(pupil)
    await receive(worker, state)
    (first,) = (await files(worker)).values()
    for version, to in enumerate((State.LIFTED, State.EXITED, State.RETURNED), start=2):
        state = in_state(state, to, date(2026, 5, version))
        await receive(worker, state, version=version)
        assert (await files(worker)) == {pupil.person_id: first}
        assert await guarantee_of(worker, state.household_id) is not None
    assert len(await history(worker, pupil.person_id)) == 1


async def test_a_household_not_on_assistance_opens_no_file_and_has_its_guarantee(
    worker: Database,
) -> None:
    state = in_state(family(child()), State.EXITED, date(2026, 6, 1))
    await receive(worker, state)
    assert await files(worker) == {}
    assert await guarantee_of(worker, state.household_id) == (
        True,
        "compulsory_age_members_at_school",
        1,
    )


async def test_a_closed_household_ends_its_files_and_gaps_without_a_word(worker: Database) -> None:
    state = family(child(), child(None))
    await receive(worker, state)
    before = await told(worker, GUARANTEE)
    await receive(worker, in_state(state, State.CLOSED, date(2026, 6, 1)), version=2)
    assert [row["state"] for row in (await files(worker)).values()] == ["left"]
    assert await gaps(worker) == {}
    assert await told(worker, GUARANTEE) == before


async def test_the_guarantee_of_each_kind_of_household(worker: Database) -> None:
    out, fifteen, younger = child(NOT), child(NOT, age=15), child(None)
    states = {
        "childless": household(),
        "at_school": family(child(), child(SchoolStage.COLLEGE, age=19)),
        "out": family(child(), out),
        "unknown": family(fifteen, younger),
        "done": family(child(NOT, age=15, education=Education.JUNIOR)),
        "not_counted": household(members=[member(), child(NOT, counted=False)], n=1),
    }
    await receive(worker, *states.values())
    found = {name: await guarantee_of(worker, state.household_id) for name, state in states.items()}
    assert found == {
        "childless": (True, "no_compulsory_age_member", 1),
        "at_school": (True, "compulsory_age_members_at_school", 1),
        "out": (False, f"out_of_school:{out.person_id}", 1),
        "unknown": (True, "no_member_known_out_of_school", 1),
        "done": (True, "no_compulsory_age_member", 1),
        "not_counted": (True, "no_compulsory_age_member", 1),
    }
    assert await gaps(worker) == {
        out.person_id: ("out_of_school", None),
        fifteen.person_id: ("unknown", "completion_unknown"),
        younger.person_id: ("unknown", "stage_unknown"),
    }
    events = await told(worker, GUARANTEE)
    assert len(events) == len(states)
    assert {event["data"]["kind"] for event in events} == {"education"}


async def test_the_guarantee_follows_back_to_school(worker: Database) -> None:
    pupil = child(NOT)
    state = family(pupil)
    await receive(worker, state)
    back = with_members(state, state.members[0], pupil.model_copy(update={"school_stage": JUNIOR}))
    await receive(worker, back, version=2)
    assert await guarantee_of(worker, state.household_id) == (
        True,
        "compulsory_age_members_at_school",
        2,
    )
    ended = await rows(worker, "SELECT ended_on FROM school_gaps")
    assert ended == [{"ended_on": clock.today()}], "what was missing is kept"


async def test_a_day_brings_children_to_the_age_and_out_of_it(worker: Database) -> None:
    """Entry on 1 September, doubt at fifteen, the end at sixteen; each once, then silence."""
    six = child(NOT, birth_date=date(2021, 8, 31))
    older = child(NOT, birth_date=date(2012, 7, 10))
    entering, leaving, quiet = family(six), family(older), household()
    await receive(worker, entering, leaving, quiet)
    assert await met(worker, entering.household_id) is True
    assert await met(worker, leaving.household_id) is False
    seen = []
    for day in (date(2027, 7, 9), date(2027, 7, 10), date(2027, 8, 31), date(2027, 9, 1)):
        await turn(worker, day)
        states = [await guarantee_of(worker, each.household_id) for each in (entering, leaving)]
        seen.append([state and state[0] for state in states])
    assert seen == [[True, False], [True, True], [True, True], [False, True]]
    assert (await gaps(worker))[older.person_id] == ("unknown", "completion_unknown")
    await turn(worker, date(2028, 7, 10))
    assert older.person_id not in await gaps(worker)
    before = await everything(worker)
    await turn(worker, date(2028, 7, 10))
    assert await everything(worker) == before


async def test_a_day_settles_in_chunks_only_whom_it_concerns(worker: Database) -> None:
    born = date(2021, 5, 5)
    turning = [family(child(NOT, birth_date=born)) for _ in range(CHUNK + 1)]
    await receive(worker, *turning, *[household() for _ in range(5)])
    assert await turn(worker, date(2027, 8, 31)) == 1, "nothing yet"
    assert await turn(worker, date(2027, 9, 1)) == 2
    red = await rows(worker, "SELECT household_id FROM guarantees_given WHERE NOT met")
    assert {row["household_id"] for row in red} == {state.household_id for state in turning}
    assert await turn(worker, date(2027, 9, 1)) == 1


async def test_two_transactions_with_one_pupil_keep_one_file(worker: Database) -> None:
    """Out of one household and into another at the same time: whoever is last sees both."""
    pupil = child()
    old, new = family(pupil), family(pupil, effective_from=date(2026, 10, 1))
    await receive(worker, old)
    async with worker.transaction() as session:
        gone = with_members(old, old.members[0])
        await on_households(session, [household_event(gone, version=2)])
        waiting = asyncio.create_task(receive(worker, new))
        await until(lambda: blocked(worker), what="the second to wait for the first")
    await waiting
    ((person, row),) = (await files(worker)).items()
    assert (person, row["household_id"], row["state"]) == (
        pupil.person_id,
        new.household_id,
        "enrolled",
    )


async def test_two_transactions_opening_one_file_open_one(worker: Database) -> None:
    pupil = child()
    first, second = family(pupil), family(pupil, effective_from=date(2026, 10, 1))
    async with worker.transaction() as session:
        await on_households(session, [household_event(first)])
        waiting = asyncio.create_task(receive(worker, second))
        await until(lambda: blocked(worker), what="the second to wait for the first")
    await waiting
    ((_, row),) = (await files(worker)).items()
    assert row["household_id"] == second.household_id


async def test_every_type_and_every_stored_sample_is_understood(worker: Database) -> None:
    tally = await take(
        worker, *[household_event(family(child()), type_=type_) for type_ in HouseholdEvent]
    )
    assert (tally.applied.total(), tally.unknown.total()) == (len(HouseholdEvent), 0)
    samples = [load(str(type_)).envelope for type_ in HouseholdEvent]
    assert (await take(worker, *samples)).parked.total() == 0


async def test_a_broken_household_is_parked_and_holds_nobody_up(worker: Database) -> None:
    good, bad = family(child()), household()
    broken = household_event(bad, data=b'{"household_id": "nobody"}')
    tally = await take(worker, broken, household_event(good))
    assert (tally.parked[HOUSEHOLDS.name], tally.applied[HOUSEHOLDS.name]) == (1, 1)
    assert len(await files(worker)) == 1


async def test_a_birthday_in_the_future_is_looked_at_no_earlier(worker: Database) -> None:
    state = family(child(birth_date=clock.today() - timedelta(days=100)))
    await receive(worker, state)
    (row,) = await rows(worker, "SELECT look_again_on FROM settled_households")
    assert row["look_again_on"] > clock.today()
