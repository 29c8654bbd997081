"""What a household bore itself in twelve months is told once a year, with the bill's decision."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from services.relief.medical import actions
from services.relief.medical.queries import Year
from shared import clock
from shared.contracts.assistance import AssistanceEvent
from shared.contracts.registry import Category, HouseholdState, Incomes
from shared.db import Database
from tests.relief.medical.facts import period
from tests.relief.medical.support import grants, only, send, settle
from tests.relief.support import blocked, receive, rows, set_figure, with_periods
from tests.support.builders import household, member
from tests.support.waiting import until


@pytest.fixture(autouse=True)
async def bounds(worker: Database) -> None:
    await set_figure(worker, "medical.self_borne_alarm", "20000")
    await set_figure(worker, "medical.self_borne_alarm_percent", "50")


async def alarms(worker: Database) -> list[dict[str, Any]]:
    kind = AssistanceEvent.HARDSHIP_DETECTED.value
    found = await rows(worker, "SELECT data FROM events WHERE type = :kind ORDER BY id", kind=kind)
    return [orjson.loads(row["data"]) for row in found]


def rich(**facts: Any) -> HouseholdState:
    """Marginal, with an income of which half is more than the bound in yuan."""
    period_ = period(
        clock.today() - timedelta(days=800),
        Category.DIBAO_MARGINAL,
        incomes=Incomes(wage=Decimal(100_000)),
    )
    return with_periods(household(**facts), period_)


def borne(state: HouseholdState, amount: str, **changes: Any) -> dict[str, Any]:
    """A bill that is off the list as a whole: nothing of it is relieved."""
    return only(state, amount, off_list=amount, **changes)


@pytest.mark.parametrize(("amount", "told"), [("20000.00", 0), ("20000.01", 1)])
async def test_above_the_bound_it_is_a_hardship(
    client: httpx.AsyncClient, worker: Database, amount: str, told: int
) -> None:
    state = rich()
    await receive(worker, state)
    await settle(client, worker, borne(state, amount))
    assert len(await alarms(worker)) == told


async def test_the_sign_carries_what_was_borne_after_all_pay_outs(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """52,000 in scope, 30,000 of them relieved, 1,000 off the list: 23,000 are left."""
    state = rich()
    await receive(worker, state)
    await settle(client, worker, only(state, "53000", off_list="1000"))
    (sign,) = await alarms(worker)
    assert sign == {
        "hardship_id": sign["hardship_id"],
        "household_id": str(state.household_id),
        "kind": "medical_expense",
        "detected_on": clock.today().isoformat(),
        "amount": "23000.00",
    }


@pytest.mark.parametrize(("amount", "told"), [("3000.00", 0), ("3000.01", 1)])
async def test_half_of_a_small_income_is_enough(
    client: httpx.AsyncClient, worker: Database, amount: str, told: int
) -> None:
    state = household(wage="6000")
    await receive(worker, state)
    await settle(client, worker, borne(state, amount))
    assert len(await alarms(worker)) == told


async def test_bills_of_a_household_s_people_add_up_and_are_told_once(
    client: httpx.AsyncClient, worker: Database
) -> None:
    people = [member(), member()]
    state = rich(members=people)
    await receive(worker, state)
    await settle(client, worker, borne(state, "15000"))
    assert await alarms(worker) == []
    other = borne(state, "15000", person_id=str(people[1].person_id))
    await settle(client, worker, other)
    assert [sign["amount"] for sign in await alarms(worker)] == ["30000.00"]
    await settle(client, worker, borne(state, "15000"))
    assert len(await alarms(worker)) == 1


async def test_what_is_older_than_twelve_months_does_not_count(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = rich()
    await receive(worker, state)
    edge = clock.add_months(clock.today(), -12)
    await settle(client, worker, borne(state, "15000", discharged_on=edge.isoformat()))
    await settle(client, worker, borne(state, "15000"))
    assert await alarms(worker) == []
    inside = (edge + timedelta(days=1)).isoformat()
    await settle(client, worker, borne(state, "5000.01", discharged_on=inside))
    assert [sign["amount"] for sign in await alarms(worker)] == ["20000.01"]


async def test_without_figures_nothing_is_told(client: httpx.AsyncClient, worker: Database) -> None:
    async with worker.transaction() as session:
        await session.execute(
            text("DELETE FROM policy_parameters WHERE key LIKE 'medical.self_borne%'")
        )
    state = rich()
    await receive(worker, state)
    await settle(client, worker, borne(state, "90000"))
    assert await alarms(worker) == []


async def test_a_bill_that_is_not_decided_on_yet_is_not_counted(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """Two bills of 85,000 in scope: 5,000 of the one are borne, of the other nobody knows yet."""
    people = [member(), member()]
    since = period(clock.today() - timedelta(days=800), Category.TEKUN)
    state = with_periods(household(members=people), since)
    await receive(worker, state)
    await send(client, *(only(each.person_id, "85000") for each in people))
    year = Year(people[0].person_id, (clock.today() - timedelta(days=30)).year)
    await set_figure(worker, "medical.self_borne_alarm_percent", "1000", date(2021, 1, 1))
    async with worker.transaction() as session:
        assert await actions.settle_years(session, [year]) == 1
    assert await alarms(worker) == []


async def test_two_people_s_bills_at_once_are_both_seen(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """Neither is enough alone; whoever decides second sees both."""
    people = [member(), member()]
    state = rich(members=people)
    await receive(worker, state)
    discharged_on = clock.today() - timedelta(days=30)
    first, second = (Year(each.person_id, discharged_on.year) for each in people)

    async def decide(year: Year) -> None:
        async with worker.transaction() as session:
            await actions.settle_years(session, [year])

    await send(client, *(borne(state, "15000", person_id=str(each.person_id)) for each in people))
    async with worker.transaction() as session:
        assert await actions.settle_years(session, [first]) == 1
        waiting = asyncio.create_task(decide(second))
        await until(lambda: blocked(worker), what="the second to wait for the first")
    await waiting
    assert [sign["amount"] for sign in await alarms(worker)] == ["30000.00"]


async def test_a_bill_decided_by_another_household_s_event_is_seen_as_well(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """Who moved away left a bill behind; it is decided by an event of where he lives now."""
    mover, stayer = member(), member()
    old, new = rich(members=[mover, stayer]), rich(members=[mover])
    await receive(worker, old)
    await send(client, borne(old, "15000", person_id=str(mover.person_id)))
    await receive(worker, new)
    await send(
        client,
        borne(new, "100", person_id=str(mover.person_id)),
        borne(old, "15000", person_id=str(stayer.person_id)),
    )
    year = Year(stayer.person_id, (clock.today() - timedelta(days=30)).year)

    async def decide() -> None:
        async with worker.transaction() as session:
            await actions.settle_years(session, [year])

    async with worker.transaction() as session:
        assert await actions.settle_households(session, [new.household_id]) == 2
        waiting = asyncio.create_task(decide())
        await until(lambda: blocked(worker), what="the stayer's bill to wait for the mover's")
    await waiting
    assert [sign["amount"] for sign in await alarms(worker)] == ["30000.00"]


async def test_the_sign_and_the_decision_stand_or_fall_together(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = rich()
    await receive(worker, state)
    await send(client, borne(state, "90000"))
    with pytest.raises(ConnectionResetError):
        await _decide_and_break_off(worker, state)
    assert (await alarms(worker), await grants(worker)) == ([], [])
    assert await rows(worker, "SELECT 1 FROM medical_alarms") == []


async def _decide_and_break_off(worker: Database, state: HouseholdState) -> None:
    year = Year(state.head_person_id, (clock.today() - timedelta(days=30)).year)
    async with worker.transaction() as session:
        assert await actions.settle_years(session, [year]) == 1
        raise ConnectionResetError
