"""A year's premium run: every member once, at the best rate; confirmed by a second officer."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.relief.premiums import actions, jobs
from services.relief.premiums.explanations import read
from shared import clock
from shared.contracts.registry import Category
from shared.db import Database
from tests.relief.medical.facts import period
from tests.relief.premiums.conftest import Order
from tests.relief.support import ASSISTED, COUNTY, lifted, receive, rows, run_jobs, with_periods
from tests.support.builders import IDENTIFIED_ON, household, member

MARGINAL = Category.DIBAO_MARGINAL


async def subsidies(worker: Database) -> list[dict[str, Any]]:
    return await rows(worker, "SELECT * FROM premium_subsidies ORDER BY person_id")


async def exceptions(worker: Database) -> list[dict[str, Any]]:
    return await rows(worker, "SELECT * FROM premium_exceptions ORDER BY exception_id")


async def events(worker: Database) -> list[dict[str, Any]]:
    return [orjson.loads(row["data"]) for row in await rows(worker, ASSISTED)]


async def test_every_member_is_subsidised_and_told(order: Order, worker: Database) -> None:
    state = household(members=[member(), member()])
    await receive(worker, state, household(category=MARGINAL))
    run = await order()
    assert (run["people"], run["total_yuan"], run["exceptions"]) == (3, "625.00", 0)
    found = await subsidies(worker)
    assert sorted(row["amount"] for row in found) == [125, 250, 250]
    told = {event["assistance_id"]: event for event in await events(worker)}
    (row,) = [row for row in found if row["person_id"] == state.head_person_id]
    assert told[str(row["subsidy_id"])] == {
        "assistance_id": str(row["subsidy_id"]),
        "household_id": str(state.household_id),
        "person_ids": [str(state.head_person_id)],
        "programme": "premium_subsidy",
        "status": "approved",
        "amount": "250.00",
        "fund": "medical_assistance",
        "month": f"{run['year']}-01-01",
        "granted_on": clock.today().isoformat(),
    }
    assert len(told) == 3


async def test_ordered_again_it_takes_only_those_identified_since(
    order: Order, worker: Database
) -> None:
    await receive(worker, household())
    await order()
    await receive(worker, household())
    again = await order()
    assert (again["people"], again["exceptions"]) == (1, 0)
    assert len(await events(worker)) == 2
    assert (await order())["people"] == 0


async def test_the_best_rate_of_the_enrolment_date(order: Order, worker: Database) -> None:
    """Marginal, and dibao as well until the day before yesterday."""
    until = clock.today() - timedelta(days=2)
    with_tag = period(IDENTIFIED_ON, MARGINAL, tags=(Category.DIBAO,))
    states = [
        with_periods(household(), with_tag, period(until + timedelta(days=1), MARGINAL))
        for _ in range(2)
    ]
    await receive(worker, states[0])
    await order(enrolled_on=until.isoformat())
    await receive(worker, states[1])
    await order()
    amounts = {row["household_id"]: row["amount"] for row in await subsidies(worker)}
    assert [amounts[state.household_id] for state in states] == [250, 125]


@pytest.mark.parametrize(("shift", "people"), [(0, 0), (1, 1)])
async def test_lifted_households_are_not_enrolled(
    order: Order, worker: Database, shift: int, people: int
) -> None:
    await receive(worker, lifted(household(), clock.today() + timedelta(days=shift)))
    assert (await order())["people"] == people


async def test_kept_policy_enrols_to_its_last_day(order: Order, worker: Database) -> None:
    today = clock.today()
    yesterday = today - timedelta(days=1)
    for kept in (yesterday, today):
        await receive(worker, lifted(household(), yesterday, keep_policy_until=kept))
    assert (await order())["people"] == 1


async def test_who_is_in_two_households_is_subsidised_for_the_better_one(
    order: Order, worker: Database
) -> None:
    person = member()
    poor = household(members=[person], category=MARGINAL)
    better = household(members=[person])
    await receive(worker, poor, better)
    await order()
    (row,) = await subsidies(worker)
    assert (row["household_id"], row["amount"]) == (better.household_id, Decimal(250))
    (left_out,) = await exceptions(worker)
    assert (left_out["household_id"], left_out["code"]) == (
        poor.household_id,
        "subsidised_elsewhere",
    )


async def test_exceptions_are_listed_by_person(
    order: Order, client: httpx.AsyncClient, worker: Database
) -> None:
    prisoner, person = member(counted=False), member()
    await receive(
        worker,
        household(members=[person, prisoner]),
        household(category=Category.GROUP_4600),
    )
    run = await order()
    found = await client.get(f"/v1/premium-runs/{run['run_id']}/exceptions")
    codes = {item["code"] for item in found.json()["items"]}
    assert codes == {"parameter_missing", "not_counted"}
    assert (run["people"], run["exceptions"]) == (1, 2)


async def test_two_runs_at_once_subsidise_each_person_once(
    client: httpx.AsyncClient, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both at work at the same time, by the real runner's two slots; people in two households."""
    monkeypatch.setattr(jobs, "CHUNK", 7)
    people = [member() for _ in range(60)]
    await receive(worker, *(household(members=[one, member()]) for one in people))
    await receive(worker, *(household(members=[one]) for one in reversed(people)))
    for division in (COUNTY, "331124100"):
        body = {"year": clock.today().year, "division": division}
        assert (await client.post("/v1/premium-runs", json=body)).status_code == 202
    done = await run_jobs(worker)
    assert [job["state"] for job in done] == ["succeeded"] * 2, done
    assert len(await subsidies(worker)) == 120
    assert len(await events(worker)) == 120


async def test_one_person_in_two_counties(
    order: Order, neighbour: httpx.AsyncClient, worker: Database
) -> None:
    mover = member()
    here = household(members=[mover])
    there = household(members=[mover], division_code="331102001001")
    await receive(worker, here, there)
    assert (await order())["people"] == 1
    second = await order(neighbour, division="331102")
    assert (second["people"], second["exceptions"]) == (0, 1)


async def test_confirmed_as_paid_by_another_officer(
    order: Order, client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    await receive(worker, household(), household())
    run = await order()
    asked: dict[str, Any] = {
        "url": f"/v1/premium-runs/{run['run_id']}/confirm",
        "json": {"paid_on": clock.today().isoformat()},
    }
    own = await client.post(**asked)
    assert (own.status_code, own.json()["code"]) == (409, "same_officer")
    answers = await asyncio.gather(*(colleague.post(**asked) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    waiting = await order()
    for query, ids in (
        ({}, [run["run_id"], waiting["run_id"]]),
        ({"unconfirmed": True}, [waiting["run_id"]]),
        ({"year": run["year"] + 1}, []),
    ):
        listed = (await client.get("/v1/premium-runs", params=query)).json()["items"]
        assert [item["run_id"] for item in listed] == ids, query
    found = await subsidies(worker)
    assert {(row["status"], row["version"], row["paid_on"]) for row in found} == {
        ("paid", 2, clock.today())
    }
    statuses = [event["status"] for event in await events(worker)]
    assert sorted(statuses) == ["approved", "approved", "paid", "paid"]


async def test_a_chunk_that_broke_off_is_done_again(
    order: Order, client: httpx.AsyncClient, worker: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk and its cursor commit together; nobody left out, nobody told twice."""
    await receive(worker, *(household() for _ in range(9)))
    monkeypatch.setattr(jobs, "CHUNK", 4)
    whole = actions.subsidise
    chunks = 0

    async def failing(*given: Any) -> int:
        nonlocal chunks
        chunks += 1
        if chunks == 2:
            raise ConnectionResetError
        return await whole(*given)

    monkeypatch.setattr(actions, "subsidise", failing)
    run = await order()
    assert (run["people"], len(await events(worker)), chunks) == (9, 9, 4)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"division": "331102"}, 403, "division_not_covered"),
        ({"year": 2020}, 422, "enrolment_closed"),
        ({"enrolled_on": "2999-01-01"}, 422, "enrolment_closed"),
        ({"enrolled_on": (clock.today() + timedelta(days=1)).isoformat()}, 422, None),
        ({"year": "soon"}, 422, None),
    ],
)
async def test_an_order_that_cannot_be_is_refused(
    client: httpx.AsyncClient, worker: Database, changes: dict[str, Any], status: int, code: str
) -> None:
    asked = {"year": clock.today().year, "division": COUNTY} | changes
    answer = await client.post("/v1/premium-runs", json=asked)
    assert answer.status_code == status, answer.text
    assert code in {None, answer.json()["code"]}
    assert await rows(worker, "SELECT 1 FROM premium_runs") == []


async def test_a_subsidy_is_explained_and_lists_are_filtered(
    order: Order, client: httpx.AsyncClient, worker: Database
) -> None:
    state = household()
    await receive(worker, state, household(division_code="331124101001"))
    run = await order()
    (stored,) = [
        row for row in await subsidies(worker) if row["household_id"] == state.household_id
    ]
    answer = await client.get(f"/v1/premium-subsidies/{stored['subsidy_id']}")
    explanation = answer.json()["explanation"]
    assert explanation["text"].endswith("250元×100%=250元，每人每年资助一次。")
    assert read(stored["basis"]).amount == stored["amount"]
    for asked, count in (
        ({"run": run["run_id"]}, 2),
        ({"division": "331124101"}, 1),
        ({"household": str(state.household_id)}, 1),
        ({"person": str(state.head_person_id)}, 1),
        ({"year": run["year"] + 1}, 0),
    ):
        found = await client.get("/v1/premium-subsidies", params=asked)
        assert len(found.json()["items"]) == count, asked
    read_rows = await rows(worker, "SELECT 1 FROM audit_log WHERE action = 'premium.read'")
    assert len(read_rows) == 6


async def test_the_unique_key_stands_behind_it(order: Order, worker: Database) -> None:
    await receive(worker, household())
    await order()
    again = (
        "INSERT INTO premium_subsidies (subsidy_id, run_id, year, person_id, household_id,"
        " division_code, category, amount, basis, status, granted_on, version)"
        " SELECT gen_random_uuid(), run_id, year, person_id, gen_random_uuid(), division_code,"
        " category, amount, basis, status, granted_on, 1 FROM premium_subsidies"
    )
    with pytest.raises(IntegrityError, match="uq_premium_subsidies_once_a_year"):
        async with worker.transaction() as session:
            await session.execute(text(again))
