"""Moves between counties and townships over the API: agreed, refused, carried out, raced."""

import asyncio
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.relief.schedules.rules import governing
from shared.clock import next_month
from shared.contracts.registry import Category, FactPeriod
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    NEXT_VILLAGE,
    OTHER_COUNTY,
    OTHER_TOWNSHIP,
    Office,
    Registry,
    household,
    number,
    person,
    problem,
)
from tests.registry.told import VILLAGE

TASKS = "/v1/transfer-tasks"


@pytest.fixture
async def neighbours(office_of: OfficeOf) -> Office:
    """The office of 331121, which people move to."""
    return await office_of(divisions=("331121",), officer="o9")


async def wanted(neighbours: Office, id_number: str, **given: Any) -> str:
    """The neighbours want to file somebody who stands in 331124; the id of their task."""
    body = household(
        person(id_number=id_number), division_code=OTHER_COUNTY, opened_on="2026-05-14", **given
    )
    problem(await neighbours.client.post("/v1/households", json=body), 409, ELSEWHERE)
    tasks = (await neighbours.client.get(TASKS, params={"state": "requested"})).json()["items"]
    return str(tasks[-1]["task_id"])


ELSEWHERE = "person_registered_elsewhere"


async def agreed(office: Office, task_id: str, **body: Any) -> dict[str, Any]:
    given = {"moves_on": "2026-05-14", "whole_household": False} | body
    answer = await office.client.post(f"{TASKS}/{task_id}/agree", json=given)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def taken_over(office: Office, task_id: str, on: str = "2026-05-14") -> dict[str, Any]:
    answer = await take_over(office, task_id, on)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def take_over(office: Office, task_id: str, on: str = "2026-05-14") -> httpx.Response:
    return await office.client.post(f"{TASKS}/{task_id}/take-over", json={"valid_from": on})


async def test_a_household_moves_with_its_file_and_one_county_pays_each_month(
    registry: Registry, office: Office, neighbours: Office
) -> None:
    one = number()
    household_id = await office.identified(person(id_number=one), person("spouse"))
    before = await office.read(household_id)
    task_id = await wanted(neighbours, one)

    task = await agreed(office, task_id, whole_household=True)
    assert (task["state"], task["household_id"]) == ("agreed", household_id)
    problem(await take_over(neighbours, task_id, "2026-05-13"), 422, "before_move")
    result = await taken_over(neighbours, task_id)

    assert result == {"household_id": household_id, "version": 2, "revision": 3}
    problem(await office.client.get(f"/v1/households/{household_id}"), 404, "household_not_found")
    after = await neighbours.read(household_id)
    kept = ("household_no", "episodes", "members", "category", "rule_set", "incomes")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    (_, _, old), (kind, _, new) = await registry.states(household_id)
    assert (kind, str(new.effective_from), new.division_code) == (
        "changed",
        "2026-05-14",
        OTHER_COUNTY,
    )
    assert payers({household_id: new.periods}, "2026-03", "2026-07") == [
        ["331124"],
        ["331124"],
        ["331124"],
        ["331121"],
        ["331121"],
    ]
    assert old.periods == new.periods[:1]


async def test_a_person_who_moves_is_paid_for_once_a_month_without_a_gap(
    registry: Registry, office: Office, neighbours: Office
) -> None:
    """Golden case: from one county to the other in the middle of a month."""
    one = number()
    old = await office.identified(person(id_number=one), person("spouse"))
    head, spouse = (member["person_id"] for member in (await office.read(old))["members"])
    task_id = await wanted(neighbours, one)

    await agreed(office, task_id, new_head_person_id=spouse)
    assert await taken_over(neighbours, task_id) == {
        "household_id": old,
        "version": 2,
        "revision": 3,
    }
    body = {"division_code": OTHER_COUNTY, "opened_on": "2026-05-13"}
    early = household(person(id_number=one), **body)
    problem(
        await neighbours.client.post("/v1/households", json=early), 409, "person_in_other_household"
    )
    new = await neighbours.identified(
        person(id_number=one), on="2026-05-14", division_code=OTHER_COUNTY, opened_on="2026-05-14"
    )

    assert (await neighbours.read(new))["head_person_id"] == head
    assert (await office.read(old))["head_person_id"] == spouse
    left, came = [(await registry.states(each))[-1][2] for each in (old, new)]
    counts = {old: left.periods, new: came.periods}
    for month, here, there in (("2026-05", 2, 0), ("2026-06", 1, 1), ("2026-07", 1, 1)):
        (first,) = months(month, month)
        found = [governing(periods, first, Category.DIBAO) for periods in counts.values()]
        assert [period[0].n if period else 0 for period in found] == [here, there]


def months(first: str, last: str) -> list[date]:
    """The first days of these months."""
    found = [date.fromisoformat(f"{first}-01")]
    while f"{found[-1]:%Y-%m}" < last:
        found.append(next_month(found[-1]))
    return found


def payers(files: dict[str, tuple[FactPeriod, ...]], first: str, last: str) -> list[list[str]]:
    """Which counties pay each month: where each household stood before it began (R13)."""
    return [
        [
            str(found[0].division_code)[:6]
            for periods in files.values()
            if (found := governing(periods, month, Category.DIBAO))
        ]
        for month in months(first, last)
    ]


async def test_the_county_may_refuse_and_is_asked_again(office: Office, neighbours: Office) -> None:
    one = number()
    await office.identified(person(id_number=one))
    task_id = await wanted(neighbours, one)

    blank = await office.client.post(f"{TASKS}/{task_id}/refuse", json={"reason": " "})
    problem(blank, 422, "reason_missing")
    answer = await office.client.post(f"{TASKS}/{task_id}/refuse", json={"reason": "仍在本村居住"})
    assert (answer.json()["state"], answer.json()["reason"]) == ("refused", "仍在本村居住")
    problem(await take_over(neighbours, task_id), 409, "transfer_refused")
    again = await office.client.post(
        f"{TASKS}/{task_id}/agree", json={"moves_on": "2026-05-14", "whole_household": True}
    )
    problem(again, 409, "transfer_refused")
    assert await wanted(neighbours, one) != task_id


async def take_back(office: Office, task_id: str, reason: str = "本人改变主意") -> httpx.Response:
    return await office.client.post(f"{TASKS}/{task_id}/take-back", json={"reason": reason})


async def test_an_agreement_is_taken_back_until_it_is_carried_out(
    registry: Registry, office: Office, neighbours: Office
) -> None:
    one = number()
    household_id = await office.identified(person(id_number=one))
    task_id = await wanted(neighbours, one)

    problem(await take_back(office, task_id), 409, "transfer_not_agreed")
    await agreed(office, task_id, whole_household=True)
    problem(await take_back(office, task_id, " "), 422, "reason_missing")
    problem(await take_back(neighbours, task_id), 404, "transfer_task_not_found")
    answer = await take_back(office, task_id)
    assert (answer.json()["state"], answer.json()["reason"]) == ("refused", "本人改变主意")
    problem(await take_over(neighbours, task_id), 409, "transfer_refused")
    again = await wanted(neighbours, one)
    await agreed(office, again, whole_household=True)
    await taken_over(neighbours, again)
    problem(await take_back(office, again), 409, "transfer_done")
    assert [version for _, version, _ in await registry.states(household_id)] == [1, 2]


async def test_an_agreement_taken_back_while_it_is_carried_out_ends_one_way(
    registry: Registry, office: Office, neighbours: Office, postgres: str
) -> None:
    one = number()
    household_id = await office.identified(person(id_number=one))
    task_id = await wanted(neighbours, one)
    await agreed(office, task_id, whole_household=True)

    async with registry.worker.transaction() as session:
        held = text("SELECT FROM transfer_tasks WHERE task_id = :id FOR UPDATE")
        await session.execute(held, {"id": task_id})
        over = asyncio.ensure_future(take_over(neighbours, task_id))
        back = asyncio.ensure_future(take_back(office, task_id))
        await registry.until_waiting(postgres, 2)
    answers = await asyncio.gather(over, back)

    assert sum(answer.is_success for answer in answers) == 1
    states = await registry.rows("SELECT state FROM transfer_tasks WHERE task_id = :id", id=task_id)
    moved = (await registry.states(household_id))[-1][1] == 2
    assert [row["state"] for row in states] == ["taken_over" if moved else "refused"]


async def test_only_the_holder_agrees_and_only_the_asking_county_takes_over(
    registry: Registry, office: Office, neighbours: Office, office_of: OfficeOf
) -> None:
    one = number()
    await office.identified(person(id_number=one))
    task_id = await wanted(neighbours, one)
    stranger = await office_of(divisions=("331102",), officer="o5")
    before = await registry.counted("household_versions", "events")

    body = {"moves_on": "2026-05-14", "whole_household": True}
    for asking in (neighbours, stranger):
        answer = await asking.client.post(f"{TASKS}/{task_id}/agree", json=body)
        problem(answer, 404, "transfer_task_not_found")
        answer = await asking.client.post(f"{TASKS}/{task_id}/refuse", json={"reason": "x"})
        problem(answer, 404, "transfer_task_not_found")
    problem(await take_over(neighbours, task_id), 409, "transfer_not_agreed")
    await agreed(office, task_id, whole_household=True)
    for asking in (office, stranger):
        problem(await take_over(asking, task_id), 404, "transfer_task_not_found")

    assert await registry.counted("household_versions", "events") == before


async def test_a_household_is_offered_to_the_next_township_and_its_benefit_goes_on(
    registry: Registry, office_of: OfficeOf
) -> None:
    township = await office_of(divisions=("331124002",))
    next_one = await office_of(divisions=("331124212",), officer="o3")
    household_id = await township.identified()
    where = f"/v1/households/{household_id}/transfers"
    body = {"to": OTHER_TOWNSHIP, "moves_on": "2026-05-14"}

    problem(await township.client.post(where, json=body | {"to": VILLAGE}), 422, "already_there")
    nowhere = await township.client.post(where, json=body | {"to": "331124212999"})
    problem(nowhere, 422, "division_unknown")
    offered = await township.client.post(where, json=body)
    assert offered.status_code == 201, offered.text
    problem(await township.client.post(where, json=body), 409, "transfer_agreed_elsewhere")
    await taken_over(next_one, offered.json()["task_id"])

    assert (await next_one.read(household_id))["division_code"] == OTHER_TOWNSHIP
    _, _, state = (await registry.states(household_id))[-1]
    assert payers({household_id: state.periods}, "2026-04", "2026-07") == [["331124"]] * 4
    assert {period.state for period in state.periods} == {"identified"}
    tables = ("members", "episodes", "household_versions", "decisions", "notices")
    for table in tables:
        rows = await registry.rows(
            f"SELECT DISTINCT division_code FROM {table} WHERE household_id = :id",  # noqa: S608 (the test's own)
            id=household_id,
        )
        assert [row["division_code"] for row in rows] == [OTHER_TOWNSHIP]


async def test_a_third_county_asks_the_new_one_after_the_move(
    registry: Registry, office: Office, neighbours: Office
) -> None:
    one = number()
    await neighbours.identified(person(id_number=one), division_code=OTHER_COUNTY)
    answer = await office.client.post("/v1/households", json=household(person(id_number=one)))
    problem(answer, 409, ELSEWHERE)
    other_village = household(person(id_number=one), division_code=NEXT_VILLAGE)
    problem(await office.client.post("/v1/households", json=other_village), 409, ELSEWHERE)
    mine, lapsing = (await office.client.get(TASKS)).json()["items"][-2:]

    await agreed(neighbours, mine["task_id"], whole_household=True)
    other = await neighbours.client.post(
        f"{TASKS}/{lapsing['task_id']}/agree",
        json={"moves_on": "2026-05-14", "whole_household": True},
    )
    problem(other, 409, "transfer_agreed_elsewhere")
    await taken_over(office, mine["task_id"])

    states = await registry.rows(
        "SELECT state, from_county FROM transfer_tasks WHERE person_id = :id ORDER BY task_id",
        id=mine["person_id"],
    )
    assert [tuple(row.values()) for row in states] == [
        ("taken_over", "331121"),
        ("lapsed", "331124"),
    ]


async def test_of_two_take_overs_at_once_one_passes(
    registry: Registry, office: Office, neighbours: Office, office_of: OfficeOf, postgres: str
) -> None:
    one = number()
    household_id = await office.identified(person(id_number=one))
    task_id = await wanted(neighbours, one)
    await agreed(office, task_id, whole_household=True)
    colleague = await office_of(divisions=("331121",), officer="o8")

    async with registry.held_back(postgres, household_id, waiting=2):
        both = [asyncio.ensure_future(take_over(each, task_id)) for each in (neighbours, colleague)]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [version for _, version, _ in await registry.states(household_id)] == [1, 2]


async def test_of_two_agreements_at_once_one_passes(
    registry: Registry, office: Office, neighbours: Office, office_of: OfficeOf, postgres: str
) -> None:
    one = number()
    household_id = await office.identified(person(id_number=one))
    task_id = await wanted(neighbours, one)
    colleague = await office_of(officer="o2")

    async with registry.held_back(postgres, household_id, waiting=2):
        both = [
            asyncio.ensure_future(
                each.client.post(
                    f"{TASKS}/{task_id}/agree",
                    json={"moves_on": day, "whole_household": True},
                )
            )
            for each, day in ((office, "2026-05-14"), (colleague, "2026-05-20"))
        ]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [200, 409]
