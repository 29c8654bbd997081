"""The review calendar over the API: dated, on the board, carried out, dated anew (R28, C21)."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.registry.helpers.fitting import Refit
from services.registry.households import records
from services.registry.reviews import actions
from services.registry.reviews.calendar import ask_reviews, date_undated, rewatch
from services.registry.reviews.rules import Outcome, Review
from shared import clock
from shared.contracts.registry import State
from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, NEXT_VILLAGE, OFFICER, Office, Registry, person, problem
from tests.registry.verification.conftest import changed

RIGHTS = "registry.reviews:read registry.reviews:write registry.tasks:read"
TODAY = clock.today()
BEGAN = clock.add_months(TODAY, -4)
FARMER = {"work": "farming"}


@pytest.fixture
async def desk(office_of: OfficeOf) -> Office:
    return await office_of(f"{ALL} {RIGHTS}", officer="t1")


async def filed(desk: Office, *members: dict[str, Any], **given: Any) -> str:
    began = {"opened_on": BEGAN.isoformat(), "on": BEGAN.isoformat()}
    return await desk.identified(*members, **began | given)


async def day_of(desk: Office, household_id: str, **query: Any) -> tuple[str, str | None] | None:
    cursor = None
    while True:
        asked = {"limit": 2, **query} | ({"cursor": cursor} if cursor else {})
        page = (await desk.client.get("/v1/reviews", params=asked)).json()
        for each in page["items"]:
            if each["household_id"] == household_id:
                return each["kind"], each["due_on"]
        cursor = page["next_cursor"]
        if cursor is None:
            return None


async def tasks(desk: Office, household_id: str) -> list[str]:
    query: dict[str, str | bool] = {"household_id": household_id, "open": True, "kind": "review"}
    items = (await desk.client.get("/v1/tasks", params=query)).json()["items"]
    return [each["due_on"] for each in items]


async def turned(registry: Registry, day: date) -> None:
    for turn in (date_undated, ask_reviews):
        async with registry.worker.transaction() as session:
            assert await turn(session, day) is False


async def review(desk: Office, household_id: str, **given: Any) -> httpx.Response:
    body = {"reviewed_on": TODAY.isoformat(), "outcome": "unchanged"}
    return await desk.client.post(f"/v1/households/{household_id}/reviews", json=body | given)


async def test_the_calendar_is_that_of_a_hand_reckoning(desk: Office) -> None:
    unstable = await filed(desk, person(**FARMER), division_code=NEXT_VILLAGE)
    steady = await filed(desk, person(labor_ability="lost"), division_code=NEXT_VILLAGE)
    tekun = await filed(desk, category="tekun", division_code=NEXT_VILLAGE)

    assert await day_of(desk, unstable) == (
        "unstable",
        clock.add_months(BEGAN, 6).isoformat(),
    )
    assert await day_of(desk, steady) == ("steady", clock.add_months(BEGAN, 12).isoformat())
    assert await day_of(desk, tekun) == ("tekun", clock.add_months(BEGAN, 12).isoformat())
    soon = {"division": NEXT_VILLAGE, "due_by": clock.add_months(BEGAN, 6).isoformat()}
    assert await day_of(desk, unstable, **soon) is not None
    assert await day_of(desk, steady, **soon) is None
    assert await day_of(desk, unstable, kind="steady") is None


async def test_a_review_stands_on_the_board_thirty_days_before_and_the_next_is_dated_from_it(
    desk: Office, registry: Registry
) -> None:
    household_id = await filed(desk, person(**FARMER))
    due = clock.add_months(BEGAN, 6)
    await turned(registry, due - timedelta(days=31))
    assert await tasks(desk, household_id) == []
    for day in (due - timedelta(days=30), due, due + timedelta(days=40)):
        await turned(registry, day)
        assert await tasks(desk, household_id) == [due.isoformat()]

    problem(await review(desk, household_id), 422, "check_missing")
    await registry.checked(household_id, TODAY.isoformat(), wage="3000")
    made = await review(desk, household_id)

    assert (made.status_code, made.json()["due_on"]) == (201, due.isoformat())
    assert await tasks(desk, household_id) == []
    again = clock.add_months(TODAY, 6).isoformat()
    assert await day_of(desk, household_id) == ("unstable", again)
    listed = await desk.client.get(f"/v1/households/{household_id}/reviews")
    assert listed.json() == [made.json()]
    problem(await review(desk, household_id), 422, "check_missing")


async def test_once_a_month_everybody_is_reckoned_again_and_the_task_with_it(
    desk: Office, registry: Registry
) -> None:
    household_id = await filed(desk, person(**FARMER))
    due = clock.add_months(BEGAN, 6).isoformat()
    # As if the file had told another kind until somebody came of age.
    await turned(registry, TODAY)
    stale = "UPDATE review_dates SET kind = 'steady', due_on = $2 WHERE household_id = $1"
    await changed(registry, stale, household_id, TODAY)
    await turned(registry, TODAY)
    assert await day_of(desk, household_id) == ("steady", TODAY.isoformat())
    assert await tasks(desk, household_id) == [TODAY.isoformat()]

    for _ in range(2):
        await turned(registry, clock.next_month(TODAY))
        assert await day_of(desk, household_id) == ("unstable", due)
        assert await tasks(desk, household_id) == [due]


async def test_a_review_entered_while_the_turn_looks_dates_the_next(
    desk: Office, registry: Registry, postgres: str
) -> None:
    household_id = await filed(desk, person(**FARMER))
    await registry.checked(household_id, TODAY.isoformat(), wage="3000")
    entered = Review(reviewed_on=TODAY, outcome=Outcome.UNCHANGED)

    async with registry.acting() as session:
        await actions.enter(session, OFFICER, UUID(household_id), entered)
        turning = asyncio.ensure_future(turned(registry, clock.next_month(TODAY)))
        await registry.until_waiting(postgres, 1)
    await turning

    again = clock.add_months(TODAY, 6).isoformat()
    assert await day_of(desk, household_id) == ("unstable", again)


async def test_a_stay_that_is_brought_back_keeps_the_day_of_its_last_review(
    desk: Office, registry: Registry
) -> None:
    household_id = await filed(desk, person(**FARMER))
    reviewed_on = clock.add_months(BEGAN, 1)
    await registry.checked(household_id, reviewed_on.isoformat(), wage="3000")
    assert (await review(desk, household_id, reviewed_on=reviewed_on.isoformat())).is_success
    due = await day_of(desk, household_id)
    async with registry.worker.transaction() as session:
        timelines = await records.load_timelines(session, [UUID(household_id)])
        facts = timelines[UUID(household_id)][-1].facts
        closed = facts.model_copy(update={"state": State.CLOSED})
        await rewatch(session, [Refit(UUID(household_id), facts, closed, TODAY)])
        await rewatch(session, [Refit(UUID(household_id), closed, facts, TODAY)])

    assert await day_of(desk, household_id) == due
    assert due == ("unstable", clock.add_months(reviewed_on, 6).isoformat())


async def test_another_kind_is_dated_anew_and_who_leaves_has_no_review(
    desk: Office, registry: Registry
) -> None:
    household_id = await filed(desk, person(**FARMER))
    await turned(registry, clock.add_months(BEGAN, 6))
    assert len(await tasks(desk, household_id)) == 1

    await desk.change(household_id, valid_from=TODAY.isoformat(), category="group_4600")
    assert await day_of(desk, household_id) == (
        "group_4600",
        clock.add_months(BEGAN, 12).isoformat(),
    )
    await desk.announce(household_id, "exit", closed_on=TODAY.isoformat())
    await desk.decide(household_id, "exit", decided_on=TODAY.isoformat(), reason="自愿退出")

    assert await day_of(desk, household_id) is None
    assert await tasks(desk, household_id) == []
    problem(await review(desk, household_id), 422, "household_not_assisted")


async def test_what_a_roster_brought_in_is_dated_by_the_turn(
    desk: Office, registry: Registry
) -> None:
    household_id = await filed(desk, person(**FARMER))
    await registry.forget("review_dates")
    assert await day_of(desk, household_id) is None

    for _ in range(2):
        await turned(registry, TODAY)
        assert await day_of(desk, household_id) == (
            "unstable",
            clock.add_months(BEGAN, 6).isoformat(),
        )


async def test_another_county_sees_no_review_day(desk: Office, office_of: OfficeOf) -> None:
    household_id = await filed(desk, person(**FARMER))
    there = await office_of(RIGHTS, divisions=("331121",))

    assert await day_of(desk, household_id) is not None
    assert await day_of(there, household_id) is None
    assert await day_of(there, household_id, division="331124") is None
