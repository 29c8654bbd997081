"""Bills, events and figures that meet at once: the cap holds, and no decision keeps old facts."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.relief.households.handlers import on_households
from services.relief.medical import actions, alarms, jobs, queries
from services.relief.medical.figures import figures_over_time
from services.relief.medical.queries import Year
from shared import clock, identity
from shared.contracts.registry import Category, HouseholdState
from shared.db import Database
from tests.relief.medical.facts import period
from tests.relief.medical.support import grants, line, only, send, settle, told, totals, years
from tests.relief.support import blocked, receive, rows, run_jobs, set_figure, with_periods
from tests.support.builders import household, household_event, member
from tests.support.waiting import until


def year_of(state: HouseholdState) -> Year:
    discharged_on = clock.today() - timedelta(days=30)
    return Year(state.head_person_id, discharged_on.year)


async def _settle(worker: Database, *asked: Year) -> int:
    async with worker.transaction() as session:
        return await actions.settle_years(session, asked)


async def test_two_bills_race_for_the_last_5000_of_the_cap(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """The second waits for the first one's commit and then finds the cap used up."""
    state = household()
    await receive(worker, state)
    await settle(client, worker, only(state, "107142.86", settlement_no="A1"))
    assert await years(worker) == [(Decimal(75000), Decimal(80000))]
    await send(client, line(state, settlement_no="A2"))
    async with worker.transaction() as session:
        assert await actions.settle_years(session, [year_of(state)]) == 1
        await send(client, line(state, settlement_no="A3"))
        waiting = asyncio.create_task(_settle(worker, year_of(state)))
        await until(lambda: blocked(worker), what="the second bill to wait for the first")
    assert await waiting == 1
    assert await totals(worker) == {"A1": Decimal(75000), "A2": Decimal(5000), "A3": Decimal(0)}
    assert await years(worker) == [(Decimal(80000), Decimal(80000))]


async def test_the_constraint_stands_behind_the_cap(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = household()
    await receive(worker, state)
    await settle(client, worker, only(state, "200000"))
    with pytest.raises(IntegrityError, match="within_cap"):
        async with worker.transaction() as session:
            await session.execute(text("UPDATE medical_person_years SET granted = granted + 0.01"))


async def test_files_at_once_by_the_real_runner_never_pass_the_cap(
    client: httpx.AsyncClient, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "CHUNK", 3)
    states = [household(category=Category.TEKUN) for _ in range(12)]
    await receive(worker, *states)
    files = [[only(state, "30000.01") for state in states] for _ in range(4)]
    await asyncio.gather(*(send(client, *each) for each in files))
    ended = await run_jobs(worker)
    assert [job["state"] for job in ended] == ["succeeded"] * 4, ended
    assert await years(worker) == [(Decimal(80000), Decimal(80000))] * 12
    assert len(await grants(worker)) == 48
    sums = await rows(worker, "SELECT sum(amount) AS sum FROM medical_grants GROUP BY person_id")
    assert {row["sum"] for row in sums} == {Decimal(80000)}


async def test_a_bill_waits_for_its_household_s_event(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """Stored while the event is taken in, which cannot see it: decided on the new facts."""
    old = with_periods(
        household(), period(clock.today() - timedelta(days=90), Category.DIBAO_MARGINAL)
    )
    new = with_periods(old, period(clock.today() - timedelta(days=90), Category.TEKUN))
    await receive(worker, old)
    async with worker.transaction() as session:
        await on_households(session, [household_event(new, version=2)])
        await send(client, line(old))
        waiting = asyncio.create_task(_settle(worker, year_of(old)))
        await until(lambda: blocked(worker), what="the bill to wait for the event")
    assert await waiting == 1
    assert [row["amount"] for row in await grants(worker)] == [17000]


async def test_an_event_waits_for_a_bill_and_corrects_it(
    client: httpx.AsyncClient, worker: Database
) -> None:
    old = with_periods(
        household(), period(clock.today() - timedelta(days=90), Category.DIBAO_MARGINAL)
    )
    new = with_periods(old, period(clock.today() - timedelta(days=90), Category.TEKUN))
    await receive(worker, old)
    await send(client, line(old))
    async with worker.transaction() as session:
        assert await actions.settle_years(session, [year_of(old)]) == 1
        waiting = asyncio.create_task(receive(worker, new, version=2))
        await until(lambda: blocked(worker), what="the event to wait for the bill")
    await waiting
    assert [row["amount"] for row in await grants(worker)] == [9000, 8000]


async def test_a_figure_approved_meanwhile_is_followed_by_its_job(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """The job of the approval waits for whoever decides on old figures, and corrects it."""
    state = household()
    await receive(worker, state)
    await send(client, line(state))
    async with worker.transaction() as session:
        assert await actions.settle_years(session, [year_of(state)]) == 1
        await set_figure(worker, "medical.ratio.dibao", "0.9")
        waiting = asyncio.create_task(_settle(worker, year_of(state)))
        await until(lambda: blocked(worker), what="the job to wait for the bill")
    assert await waiting == 1
    assert [row["amount"] for row in await grants(worker)] == [11900, 3400]


async def test_the_years_of_two_jobs_are_held_in_one_order(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """Asked for in opposite orders, they wait for each other and never in a ring."""
    people = [member() for _ in range(6)]
    state = household(members=people)
    await receive(worker, state)
    await send(client, *(line(each.person_id) for each in people))
    asked = [Year(each.person_id, year_of(state).year) for each in people]
    written = await asyncio.gather(_settle(worker, *asked), _settle(worker, *reversed(asked)))
    assert sum(written) == 6
    assert len(await told(worker)) == 6


async def test_bills_keep_their_places_whatever_their_ids(
    client: httpx.AsyncClient, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids of a machine whose clock is ahead: the cap stays used up by the bill that came first."""
    state = household(category=Category.TEKUN)
    await receive(worker, state)
    ahead = (UUID(int=(0xFFFF << 112) + number) for number in range(1_000))
    with monkeypatch.context() as patched:
        patched.setattr(identity, "new_id", lambda: next(ahead))
        await settle(client, worker, only(state, "80000", settlement_no="A1"))
    await settle(client, worker, only(state, "80000", settlement_no="A2"))
    ids = await rows(worker, "SELECT settlement_no FROM medical_settlements ORDER BY settlement_id")
    assert [row["settlement_no"] for row in ids] == ["A2", "A1"]
    later = state.periods[-1].model_copy(update={"valid_from": clock.today()})
    await receive(worker, with_periods(state, *state.periods, later), version=2)
    assert await totals(worker) == {"A1": Decimal(80000), "A2": Decimal(0)}
    assert len(await grants(worker)) == 2


async def test_events_of_two_households_decide_one_person_s_year_one_after_the_other(
    client: httpx.AsyncClient, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each holds its own copy only; the year makes the second wait and then see the first."""
    person = member()
    since = clock.today() - timedelta(days=90)
    one, two = (
        with_periods(household(members=[person]), period(since, Category.DIBAO_MARGINAL))
        for _ in range(2)
    )
    await receive(worker, one)
    await settle(client, worker, only(person.person_id, "62000", settlement_no="A1"))
    await receive(worker, two)
    await settle(client, worker, only(person.person_id, "62000", settlement_no="A2"))
    assert await totals(worker) == {"A1": Decimal(36000), "A2": Decimal(36000)}
    better = [with_periods(each, period(since, Category.TEKUN)) for each in (one, two)]
    others: list[asyncio.Task[None]] = []

    async def meanwhile(*asked: Any) -> Any:
        """Once the first holds the year and has written nothing, the second comes."""
        if not others:
            others.append(asyncio.create_task(receive(worker, better[1], version=2)))
            await until(lambda: blocked(worker), what="the second event to wait for the first")
        return await figures_over_time(*asked)

    monkeypatch.setattr(actions, "figures_over_time", meanwhile)
    await receive(worker, better[0], version=2)
    await asyncio.gather(*others)
    assert await totals(worker) == {"A1": Decimal(62000), "A2": Decimal(18000)}
    assert await years(worker) == [(Decimal(80000), Decimal(80000))]


async def test_a_person_s_bills_under_two_households_never_lock_in_a_ring(
    client: httpx.AsyncClient, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He moved: an event of his new household holds his year while his newest bill holds the old.

    The event looks for alarms in both households, and must not wait for the old one's copy.
    """
    await set_figure(worker, "medical.self_borne_alarm", "1")
    person = member()
    old, new = household(members=[person]), household(members=[person])
    assert old.household_id < new.household_id
    await receive(worker, old)
    await settle(client, worker, line(person.person_id, settlement_no="A1"))
    await receive(worker, new)
    await receive(worker, old.model_copy(update={"members": (member(),)}), version=2)
    await send(client, line(person.person_id, settlement_no="A2"))
    await set_figure(worker, "medical.ratio.dibao", "0.9")
    year = Year(person.person_id, year_of(old).year)
    bills: list[asyncio.Task[int]] = []
    watch = alarms.watch

    async def meanwhile(session: AsyncSession, places: Mapping[UUID, str]) -> int:
        if not bills:
            bills.append(asyncio.create_task(_settle(worker, year)))
            await until(lambda: blocked(worker), what="the bill to wait for the event")
        return await watch(session, places)

    monkeypatch.setattr(alarms, "watch", meanwhile)
    later = new.periods[-1].model_copy(update={"n": 3, "valid_from": clock.today()})
    await receive(worker, with_periods(new, *new.periods, later), version=2)
    assert [await bill for bill in bills] == [0]
    assert await totals(worker) == {"A1": Decimal(15300), "A2": Decimal(15300)}
    told_of = await rows(worker, "SELECT household_id FROM medical_alarms ORDER BY household_id")
    assert [row["household_id"] for row in told_of] == [old.household_id, new.household_id]


async def test_nothing_is_asked_of_no_years(worker: Database) -> None:
    async with worker.transaction() as session:
        assert await actions.settle_years(session, []) == 0
        assert await queries.settled(session, []) == []
