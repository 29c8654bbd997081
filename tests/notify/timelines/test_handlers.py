"""Time lines are written from events: once, twice, late, early, and by two workers at once."""

import asyncio
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.notify.households.handlers import on_households
from services.notify.timelines.handlers import on_assisted
from shared.contracts.assistance import AssistanceStatus
from shared.contracts.registry import Category, Episode, State
from shared.db import Database
from shared.identity import new_id
from tests.notify.timelines.support import (
    HAPPENINGS,
    VILLAGE,
    aid,
    event,
    guarantee,
    hardship,
    hear,
    know,
    lived,
    rows,
)
from tests.support.builders import household, household_event
from tests.support.waiting import until

LIFTED_ON = date(2026, 9, 10)
WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
    " AND cardinality(pg_blocking_pids(pid)) > 0"
)


async def told(database: Database, household_id: UUID) -> list[tuple[str, str | None]]:
    found = await rows(database, HAPPENINGS)
    return [(row["kind"], row["code"]) for row in found if row["household_id"] == household_id]


async def test_a_life_across_services_is_one_time_line(worker: Database) -> None:
    state = lived(household(division_code=VILLAGE), (State.LIFTED, LIFTED_ON))
    await know(worker, state)
    await hear(worker, hardship(state.household_id), guarantee(state.household_id))
    await hear(worker, aid(state.household_id))
    assert await told(worker, state.household_id) == [
        ("identified", "dibao"),
        ("hardship", "dangerous_house"),
        ("guarantee", "housing"),
        ("lifted", "dibao"),
        ("assistance", "dibao"),
    ]
    assert {row["division_code"] for row in await rows(worker, HAPPENINGS)} == {VILLAGE}


async def test_twice_changes_nothing(worker: Database) -> None:
    state = household(division_code=VILLAGE)
    said = (aid(state.household_id), guarantee(state.household_id), hardship(state.household_id))
    await know(worker, state)
    await hear(worker, *said)
    before = await rows(worker, HAPPENINGS)
    await hear(worker, *said)
    await know(worker, state)
    assert await rows(worker, HAPPENINGS) == before


async def test_late_changes_nothing(worker: Database) -> None:
    state = household(division_code=VILLAGE)
    approved = aid(state.household_id, status=AssistanceStatus.APPROVED)
    paid = approved.model_copy(update={"status": AssistanceStatus.PAID})
    later = lived(state, (State.LIFTED, LIFTED_ON))
    await know(worker, later, version=5)
    await hear(worker, paid, version=2)
    before = await rows(worker, HAPPENINGS)
    await hear(worker, approved, version=1)
    await know(worker, state, version=4)
    assert await rows(worker, HAPPENINGS) == before


async def test_a_newer_state_replaces_what_the_household_told(worker: Database) -> None:
    state = household(division_code=VILLAGE)
    await know(worker, state, version=1)
    corrected = state.model_copy(
        update={
            "episodes": (Episode(number=1, origin="application", identified_on=date(2026, 3, 1)),)
        }
    )
    await know(worker, corrected, version=2)
    (only,) = await rows(worker, HAPPENINGS)
    assert (only["happened_on"], only["version"]) == (date(2026, 3, 1), 2)


async def test_a_measure_rises_with_its_version(worker: Database) -> None:
    state = household(division_code=VILLAGE)
    await know(worker, state)
    approved = aid(state.household_id, status=AssistanceStatus.APPROVED)
    await hear(worker, approved, version=1)
    back = approved.model_copy(
        update={"status": AssistanceStatus.REVERSED, "amount": Decimal("640.00")}
    )
    await hear(worker, back, version=3)
    (measure,) = await rows(worker, "SELECT * FROM happenings WHERE kind = 'assistance'")
    assert (measure["detail"]["status"], measure["amount"]) == ("reversed", Decimal("640.00"))


async def test_red_then_green_stays_visible_and_green_is_the_newest(worker: Database) -> None:
    state = household(division_code=VILLAGE)
    await know(worker, state)
    red = guarantee(state.household_id)
    green = red.model_copy(update={"met": True, "since": LIFTED_ON})
    await hear(worker, red, version=1, source="/housing")
    await hear(worker, green, version=2, source="/housing")
    turns = "SELECT * FROM happenings WHERE kind = 'guarantee' ORDER BY happened_on"
    found = [(row["detail"]["met"], row["newest"]) for row in await rows(worker, turns)]
    assert found == [(False, False), (True, True)]


async def test_a_guarantee_s_older_turn_that_comes_late_is_not_the_newest(
    worker: Database,
) -> None:
    state = household(division_code=VILLAGE)
    await know(worker, state)
    red = guarantee(state.household_id)
    green = red.model_copy(update={"met": True, "since": LIFTED_ON})
    await hear(worker, green, version=2)
    await hear(worker, red, version=1)
    turns = "SELECT * FROM happenings WHERE kind = 'guarantee' ORDER BY happened_on"
    assert [row["newest"] for row in await rows(worker, turns)] == [False, True]


async def test_two_services_may_use_the_same_id(worker: Database) -> None:
    measure = aid(new_id())
    await hear(worker, measure, source="/relief")
    await hear(worker, measure, source="/housing")
    assert len(await rows(worker, HAPPENINGS)) == 2


async def test_a_measure_before_its_household_waits_unplaced(
    worker: Database, api_role: Database
) -> None:
    state = household(division_code=VILLAGE)
    await hear(worker, aid(state.household_id), guarantee(state.household_id))
    assert {row["division_code"] for row in await rows(worker, HAPPENINGS)} == {None}
    async with api_role.transaction(divisions=("33",)) as session:
        seen = await session.connection()
        assert (await seen.exec_driver_sql("SELECT count(*) FROM happenings")).scalar() == 0
    await know(worker, state)
    assert {row["division_code"] for row in await rows(worker, HAPPENINGS)} == {VILLAGE}


async def test_a_household_that_moves_takes_its_happenings_along(worker: Database) -> None:
    state = household(division_code=VILLAGE)
    await know(worker, state, version=1)
    await hear(worker, aid(state.household_id))
    await know(worker, state.model_copy(update={"division_code": "331124212203"}), version=2)
    assert {row["division_code"] for row in await rows(worker, HAPPENINGS)} == {"331124212203"}


async def test_a_measure_and_its_household_at_once_never_miss_each_other(
    worker: Database,
) -> None:
    state = household(division_code=VILLAGE)
    async with worker.transaction() as session:
        await on_assisted(session, [event(aid(state.household_id))])
        arriving = asyncio.create_task(know(worker, state))
        await until(lambda: _waits(worker), what="the household to wait", every=0.01)
    await arriving
    assert {row["division_code"] for row in await rows(worker, HAPPENINGS)} == {VILLAGE}


async def test_a_household_and_its_measure_at_once_never_miss_each_other(
    worker: Database,
) -> None:
    state = household(division_code=VILLAGE)
    async with worker.transaction() as session:
        await on_households(session, [household_event(state)])
        arriving = asyncio.create_task(hear(worker, aid(state.household_id)))
        await until(lambda: _waits(worker), what="the measure to wait", every=0.01)
    await arriving
    assert {row["division_code"] for row in await rows(worker, HAPPENINGS)} == {VILLAGE}


async def test_a_batch_with_two_versions_of_one_measure_keeps_the_newer(worker: Database) -> None:
    approved = aid(new_id(), status=AssistanceStatus.APPROVED)
    paid = approved.model_copy(update={"status": AssistanceStatus.PAID})
    async with worker.transaction() as session:
        await on_assisted(session, [event(paid, version=2), event(approved, version=1)])
    (measure,) = await rows(worker, HAPPENINGS)
    assert measure["detail"]["status"] == "paid"


async def test_a_category_change_comes_with_the_newer_state(worker: Database) -> None:
    state = household(division_code=VILLAGE)
    later = state.periods[-1].model_copy(
        update={"valid_from": date(2026, 6, 1), "category": Category.DIBAO_MARGINAL}
    )
    await know(worker, state, version=1)
    await know(
        worker,
        state.model_copy(
            update={"periods": (*state.periods, later), "category": Category.DIBAO_MARGINAL}
        ),
        version=2,
    )
    assert await told(worker, state.household_id) == [
        ("identified", "dibao"),
        ("category_changed", "dibao_marginal"),
    ]


async def _waits(database: Database) -> bool:
    return bool(await rows(database, WAITING))
