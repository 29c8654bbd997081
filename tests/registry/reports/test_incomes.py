"""Yearly incomes: told of one and of many alike, and asked about where they fall (C9)."""

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.registry.parameters import DEFINITIONS
from services.registry.reports import incomes
from services.registry.reports.incomes import Years
from services.registry.reports.watching import ask_falls
from shared import clock, parameters
from shared.auth import Caller
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    ALL,
    NEXT_VILLAGE,
    OTHER_COUNTY,
    OTHER_TOWNSHIP,
    Office,
    Registry,
    person,
    problem,
)

RIGHTS = f"{ALL} registry.reports:read registry.reports:write registry.visits:write"
TODAY = clock.today()
DAY = date(2026, 4, 1)
LAST = DAY.year - 1
Answers = list[dict[str, Any]]


@pytest.fixture
async def desk(office_of: OfficeOf) -> Office:
    return await office_of(RIGHTS, officer="t1")


async def earning(desk: Office, before: str, now: str, **given: Any) -> str:
    """A household whose wages are these in the year before last, and in the last one."""
    filed = {"opened_on": f"{LAST - 1}-01-05", "on": f"{LAST - 1}-02-01"} | given
    household_id = await desk.identified(**filed, incomes={"wage": before})
    await desk.change(household_id, valid_from=f"{LAST}-12-31", incomes={"wage": now})
    return household_id


async def turned(registry: Registry, day: date = DAY) -> None:
    more = True
    while more:
        async with registry.worker.transaction() as session:
            more = await ask_falls(session, day)


async def falls_of(desk: Office, household_id: str, **query: Any) -> Answers:
    answer = await desk.client.get("/v1/income-falls", params={"limit": 200} | query)
    assert answer.status_code == 200, answer.text
    return [each for each in answer.json()["items"] if each["household_id"] == household_id]


async def tasks_of(desk: Office, household_id: str) -> Answers:
    query: dict[str, str | bool] = {"household_id": household_id, "open": True}
    query["kind"] = "income_fall"
    return list((await desk.client.get("/v1/tasks", params=query)).json()["items"])


async def settle(desk: Office, fall: dict[str, Any], outcome: str, **body: str) -> httpx.Response:
    where = f"/v1/income-falls/{fall['income_fall_id']}/settle"
    return await desk.client.post(where, json={"outcome": outcome} | body)


async def test_a_fall_is_asked_about_once_and_dismissed_with_a_reason(
    desk: Office, registry: Registry, office_of: OfficeOf
) -> None:
    household_id = await earning(desk, "12000", "11999.99")
    same = await earning(desk, "12000", "12000")
    new = await desk.identified(opened_on=f"{LAST}-01-05", on=f"{LAST}-02-01")
    await turned(registry)
    await turned(registry)

    (fall,) = await falls_of(desk, household_id, open=True)
    assert (fall["year"], fall["before"], fall["now"], fall["outcome"]) == (
        LAST,
        "12000.00",
        "11999.99",
        None,
    )
    assert ("income_fall.read", "t1") in await registry.audited(household_id)
    (task,) = await tasks_of(desk, household_id)
    assert task["subject_id"] == fall["income_fall_id"]
    assert task["due_on"] > DAY.isoformat()
    assert await falls_of(desk, same) == await falls_of(desk, new) == []

    neighbours = await office_of(RIGHTS, divisions=("331121",), officer="o9")
    problem(await settle(neighbours, fall, "dismissed", reason="x"), 404, "income_fall_not_found")
    problem(await settle(desk, fall, "dismissed", reason=" "), 422, "reason_missing")
    problem(await settle(desk, fall, "visited"), 422, "visit_missing")
    problem(await settle(desk, fall, "checked"), 422, "check_missing")
    reader = await office_of("registry.reports:read", officer="r1")
    problem(await settle(reader, fall, "dismissed", reason="x"), 403, "scope_missing")
    answer = await settle(desk, fall, "dismissed", reason="张建国的养老金换发,金额不变")

    assert answer.status_code == 200, answer.text
    assert (answer.json()["outcome"], answer.json()["settled_by"]) == ("dismissed", "t1")
    assert answer.json()["reason"] == "张建国的养老金换发,金额不变"
    (row,) = await registry.rows(
        "SELECT reason_encrypted FROM income_falls WHERE income_fall_id = :id",
        id=UUID(fall["income_fall_id"]),
    )
    assert "张建国".encode() not in bytes(row["reason_encrypted"])
    assert await tasks_of(desk, household_id) == []
    assert ("income_fall.settled", "t1") in await registry.audited(household_id)
    problem(await settle(desk, fall, "dismissed", reason="x"), 409, "income_fall_settled")
    await turned(registry)
    assert await falls_of(desk, household_id, open=True) == []


async def test_a_visit_or_a_check_since_settles_it(desk: Office, registry: Registry) -> None:
    visited, checked = [await earning(desk, "9000", "8000") for _ in range(2)]
    await registry.checked(checked, f"{LAST}-06-01", wage="9000")
    await turned(registry)
    seen = {"visited_on": TODAY.isoformat(), "findings": "家中劳动力生病"}
    answer = await desk.client.post(f"/v1/households/{visited}/visits", json=seen)
    assert answer.status_code == 201, answer.text
    (of_checked,) = await falls_of(desk, checked)
    problem(await settle(desk, of_checked, "checked"), 422, "check_missing")
    await registry.checked(checked, TODAY.isoformat())

    for household_id, outcome in ((visited, "visited"), (checked, "checked")):
        (fall,) = await falls_of(desk, household_id)
        answer = await settle(desk, fall, outcome)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["outcome"], answer.json()["reason"]) == (outcome, "")
        assert await tasks_of(desk, household_id) == []


async def test_who_leaves_is_asked_no_more_and_who_moves_takes_it_along(
    desk: Office, registry: Registry
) -> None:
    leaves, moves = [await earning(desk, "9000", "8000") for _ in range(2)]
    await turned(registry)
    await desk.announce(leaves, "exit", closed_on=TODAY.isoformat())
    await desk.decide(leaves, "exit", decided_on=TODAY.isoformat(), reason="自愿退出")
    await desk.change(moves, valid_from=TODAY.isoformat(), division_code=NEXT_VILLAGE)

    (left,) = await falls_of(desk, leaves)
    assert (left["outcome"], left["settled_by"]) == ("household_left", None)
    assert await tasks_of(desk, leaves) == []
    (moved,) = await falls_of(desk, moves, division=NEXT_VILLAGE)
    assert (moved["division_code"], moved["outcome"]) == (NEXT_VILLAGE, None)
    assert len(await tasks_of(desk, moves)) == 1


async def test_who_is_in_tracking_is_watched_and_who_left_is_not(
    desk: Office, registry: Registry
) -> None:
    lifted = await desk.long_identified(opened_on=f"{LAST - 1}-01-05", incomes={"wage": "9000"})
    await desk.ready_to_lift(lifted)
    await desk.decide(lifted, "lift", decided_on="2025-08-01", reason="收入稳定")
    await desk.change(lifted, valid_from=f"{LAST}-12-31", incomes={"wage": "8000"})
    gone = await earning(desk, "9000", "8000")
    await desk.decide(gone, "close", decided_on=TODAY.isoformat(), ground="moved_out")
    await turned(registry)

    assert len(await falls_of(desk, lifted)) == 1
    assert await falls_of(desk, gone) == []


async def test_a_county_sets_what_it_puts_up_with(registry: Registry, office_of: OfficeOf) -> None:
    one, other = (Caller(sub=name, officer_id=name, divisions=("331121",)) for name in ("c1", "c2"))
    entry = parameters.Entry(
        key="reports.income_fall_percent",
        division_code="331121",
        valid_from=date(2025, 1, 1),
        value=Decimal(10),
        document_number="sample, not official",
        sample=True,
    )
    async with registry.acting(one) as session:
        entered = await parameters.enter(session, one, DEFINITIONS, entry)
        await parameters.approve(session, other, entered.parameter_id)
    there = await office_of(RIGHTS, divisions=("331121",), officer="t9")
    within = await earning(there, "10000", "9000", division_code=OTHER_COUNTY)
    beyond = await earning(there, "10000", "8999.99", division_code=OTHER_COUNTY)
    await turned(registry)

    assert await falls_of(there, within) == []
    (fall,) = await falls_of(there, beyond)
    assert fall["percent"] == "10.0000"


async def test_a_county_that_set_nothing_is_not_watched(desk: Office, registry: Registry) -> None:
    filed = {"opened_on": "2021-01-05", "on": "2021-02-01", "division_code": OTHER_TOWNSHIP}
    household_id = await desk.identified(**filed, incomes={"wage": "9000"})
    await desk.change(household_id, valid_from="2022-06-01", incomes={"wage": "8000"})
    day = date(2023, 6, 1)
    await turned(registry, day)

    assert await falls_of(desk, household_id) == []
    async with registry.worker.transaction() as session:
        years = Years.of(2022, today=day)
        found = await incomes.fallen(session, years, "331124", Decimal(0), limit=1_000)
    assert household_id in {str(each["household_id"]) for each in found}


async def lived(desk: Office, registry: Registry, random: Random) -> str:
    """A household of one to three, its incomes changed, corrected and checked on few days."""
    members = [person(), *(person("son") for _ in range(random.randrange(3)))]
    household_id = await desk.identified(
        *members,
        opened_on=f"{LAST - 1}-01-05",
        on=f"{LAST - 1}-02-01",
        division_code=OTHER_TOWNSHIP,
        incomes=some_incomes(random),
    )
    for _ in range(random.randrange(6)):
        year = random.choice((LAST - 1, LAST))
        day = date(year, random.choice((6, 9)), 1)
        if random.random() < 0.5:
            await registry.checked(
                household_id, day.isoformat(), wage=str(random.randrange(5_000, 9_000))
            )
        else:
            kept = random.random() < 0.3
            change: dict[str, Any] = {"incomes": some_incomes(random)}
            if kept:
                change = {"house_grade": random.choice("ABCD")}
            await desk.change(household_id, valid_from=day.isoformat(), **change)
    return household_id


def some_incomes(random: Random) -> dict[str, str]:
    return {
        "wage": random.choice(("7000", "7000.00", "8000", "9000.01")),
        "business": random.choice(("0", "-500", "333.33")),
        "property": random.choice(("0", "10")),
        "transfer": random.choice(("0", "1200.50")),
    }


@pytest.mark.parametrize("seed", range(2))
async def test_of_many_it_is_told_as_of_one(desk: Office, registry: Registry, seed: int) -> None:
    """The trend and the alert, each one statement, agree with each household's own series."""
    random = Random(seed)  # noqa: S311 (repeatable, not secret)
    households = [await lived(desk, registry, random) for _ in range(12)]
    everybody = await registry.rows(
        "SELECT household_id FROM households WHERE division_code = :code", code=OTHER_TOWNSHIP
    )
    years: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for each in everybody:
        told = (
            await desk.client.get(f"/v1/households/{each['household_id']}/income-series")
        ).json()
        by_year = {one["year"]: one for one in told}
        years.append((by_year[LAST - 1], by_year[LAST]))
    query: dict[str, str | int] = {"year": LAST, "division": OTHER_TOWNSHIP}
    trend = (await desk.client.get("/v1/reports/income-trend", params=query)).json()

    for name, at in (("before", 0), ("now", 1)):
        summed = trend[name]
        assert summed["households"] == len(everybody)
        assert summed["people"] == sum(pair[at]["n"] for pair in years)
        for kind, amount in summed["incomes"].items():
            of_each = (Decimal(pair[at]["incomes"][kind]) for pair in years)
            assert Decimal(amount) == sum(of_each), kind
    changes = [Decimal(now["change"]) for _, now in years]
    assert trend["compared"] == len(everybody)
    assert trend["rose"] == sum(change > 0 for change in changes)
    assert trend["fell"] == sum(change < 0 for change in changes)
    assert trend["fell"] > 0 < trend["rose"]
    await turned(registry)
    for household_id in households:
        (now,) = (
            pair[1]
            for each, pair in zip(everybody, years, strict=True)
            if str(each["household_id"]) == household_id
        )
        asked = await falls_of(desk, household_id)
        assert [(each["now"], each["before"]) for each in asked] == (
            [(now["a_head"], str(Decimal(now["a_head"]) - Decimal(now["change"])))]
            if now["falls"]
            else []
        )


async def test_the_trend_of_nobody_and_next_door(desk: Office, office_of: OfficeOf) -> None:
    await earning(desk, "9000", "8000")
    neighbours = await office_of("registry.reports:read", divisions=("331121001",))
    query: dict[str, str | int] = {"year": LAST, "division": "331124"}

    answer = await neighbours.client.get("/v1/reports/income-trend", params=query)

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["compared"], told["now"]["households"], told["now"]["a_head"]) == (0, 0, None)
    query["year"] = TODAY.year
    mine = (await desk.client.get("/v1/reports/income-trend", params=query)).json()
    assert (mine["now"]["on"], mine["before"]["on"]) == (
        TODAY.isoformat(),
        f"{TODAY.year - 1}-12-31",
    )
