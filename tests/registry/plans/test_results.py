"""What the years of a plan came to: asked for by the board, entered once (C53)."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from services.registry.plans import actions
from services.registry.plans.results import ask_results
from tests.registry.filing import OFFICER, Registry, problem
from tests.registry.plans.planning import TODAY, Desk
from tests.registry.verification.conftest import changed


async def test_the_years_result_is_asked_for_and_entered_once(
    desk: Desk, registry: Registry
) -> None:
    household_id = await desk.household()
    await desk.in_force(household_id)
    next_year = date(TODAY.year + 1, 1, 2)

    for _ in range(2):
        async with registry.worker.transaction() as session:
            assert await ask_results(session, TODAY) is False
    assert await desk.tasks(household_id) == {}
    for _ in range(2):
        async with registry.worker.transaction() as session:
            assert await ask_results(session, next_year) is False
    assert list(await desk.tasks(household_id)) == ["plan_result"]
    body = {"year": TODAY.year, "income": "13000.00", "words": "收入有所增加"}
    early = await desk.helper.client.post(f"/v1/households/{household_id}/plan-results", json=body)
    problem(early, 422, "year_not_over")


async def test_a_result_is_entered_once_and_for_years_in_which_a_plan_ran(
    desk: Desk, registry: Registry
) -> None:
    household_id = await desk.household()
    await desk.in_force(household_id)
    order = "UPDATE plans SET approved_on = $2, drafted_on = $2 WHERE household_id = $1"
    await changed(registry, order, household_id, date(TODAY.year - 2, 12, 31))
    async with registry.worker.transaction() as session:
        assert await ask_results(session, TODAY) is False
    assert list(await desk.tasks(household_id)) == ["plan_result"]

    async def entered(year: int) -> httpx.Response:
        body = {"year": year, "income": "13000.00", "words": "收入有所增加"}
        where = f"/v1/households/{household_id}/plan-results"
        return await desk.helper.client.post(where, json=body)

    problem(await entered(TODAY.year - 3), 422, "no_plan_that_year")
    assert (await entered(TODAY.year - 2)).status_code == 201
    assert list(await desk.tasks(household_id)) == ["plan_result"], "the last year is still asked"
    assert (await entered(TODAY.year - 1)).status_code == 201
    assert await desk.tasks(household_id) == {}
    problem(await entered(TODAY.year - 1), 409, "result_entered")
    async with registry.worker.transaction() as session:
        assert await ask_results(session, TODAY) is False
    assert await desk.tasks(household_id) == {}


async def test_a_plan_that_ended_is_asked_for_no_later_year(desk: Desk, registry: Registry) -> None:
    household_id = await desk.household()
    ended = await desk.in_force(household_id)
    await desk.in_force(household_id)
    order = "UPDATE plans SET approved_on = $2, ended_on = $3 WHERE plan_id = $1"
    long_ago = date(TODAY.year - 3, 3, 1)
    await changed(registry, order, ended["plan_id"], long_ago, date(TODAY.year - 2, 12, 31))
    async with registry.worker.transaction() as session:
        assert await ask_results(session, TODAY) is False
    assert await desk.tasks(household_id) == {}

    await changed(registry, order, ended["plan_id"], long_ago, date(TODAY.year - 1, 1, 1))
    async with registry.worker.transaction() as session:
        assert await ask_results(session, TODAY) is False
    assert list(await desk.tasks(household_id)) == ["plan_result"]


async def test_a_result_entered_while_the_turn_looks_is_not_asked_for(
    desk: Desk, registry: Registry, postgres: str
) -> None:
    household_id = await desk.household()
    await desk.in_force(household_id)
    order = "UPDATE plans SET approved_on = $2 WHERE household_id = $1"
    await changed(registry, order, household_id, date(TODAY.year - 1, 12, 31))
    result: dict[str, Any] = {"year": TODAY.year - 1, "income": Decimal(1), "words": "x"}

    async def turn() -> None:
        async with registry.worker.transaction() as session:
            await ask_results(session, TODAY)

    async with registry.acting() as session:
        await actions.enter_result(session, OFFICER, UUID(household_id), **result)
        turning = asyncio.ensure_future(turn())
        await registry.until_waiting(postgres, 1)
    await turning

    assert await desk.tasks(household_id) == {}
