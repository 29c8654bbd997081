"""People who may be registered twice: noted where they are written and by the job, then decided."""

import asyncio
from typing import Any

from sqlalchemy import text

from services.registry.worker import JOBS
from shared.job_runner import Runner
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    NEXT_VILLAGE,
    OTHER_COUNTY,
    OTHER_TOWNSHIP,
    Office,
    Registry,
    person,
    problem,
)
from tests.support.waiting import until

BORN = {"sex": "male", "birth_date": "2026-03-05"}


def baby(name: str, **given: Any) -> dict[str, Any]:
    """A newborn without a number."""
    return person("son", name=name, id_number=None) | BORN | given


async def open_pairs(office: Office) -> list[dict[str, Any]]:
    answer = await office.client.get("/v1/duplicates", params={"state": "open", "limit": 200})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def pair_of(office: Office, *person_ids: str) -> list[dict[str, Any]]:
    return [
        each
        for each in await open_pairs(office)
        if {each["first_person_id"], each["second_person_id"]} == set(person_ids)
    ]


async def one_baby_twice(office: Office, name: str) -> tuple[str, str, str, str]:
    """The same newborn in two households: the two households, the two people."""
    filed = {"opened_on": "2026-03-10", "phone": None}
    first = await office.open(person(), baby(name), **filed)
    second = await office.open(person(), baby(name), division_code=NEXT_VILLAGE, **filed)
    people = [
        member["person_id"]
        for household_id in (first, second)
        for member in (await office.read(household_id))["members"]
        if member["relation"] == "son"
    ]
    return first, second, people[0], people[1]


async def test_one_newborn_entered_twice_is_a_pair_with_a_task(office: Office) -> None:
    first, _, one, other = await one_baby_twice(office, "上官云")

    (pair,) = await pair_of(office, one, other)

    assert pair["grounds"] == ["name_birth_date"]
    assert pair["division_code"] == "331124002"
    tasks = (await office.client.get("/v1/tasks", params={"kind": "duplicate_candidate"})).json()
    assert pair["candidate_id"] in {task["subject_id"] for task in tasks["items"]}
    assert (await office.read(first))["n"] == 2, "nothing is merged by itself"


async def test_a_phone_is_a_sign_between_households_and_not_inside_one(
    registry: Registry, office: Office
) -> None:
    phone = "13799990001"
    first = await office.open(
        person(name="公孙胜", phone=phone), person("spouse", phone=phone), phone=None
    )
    second = await office.open(person(name="公孙瓒"), phone=phone)
    heads = [(await office.read(each))["head_person_id"] for each in (first, second)]

    (pair,) = await pair_of(office, *heads)
    assert pair["grounds"] == ["phone"]
    members = [member["person_id"] for member in (await office.read(first))["members"]]
    assert await pair_of(office, *members) == []

    for _ in range(4):
        last = await office.open(person(name="公孙大娘"), phone=phone)
    head = (await office.read(last))["head_person_id"]
    assert await pair_of(office, heads[0], head) == [], "a phone of many says nothing"


async def test_only_who_covers_both_sees_the_pair(office: Office, office_of: OfficeOf) -> None:
    neighbours = await office_of(divisions=("331121",), officer="o9")
    city = await office_of(divisions=("3311",), officer="c1")
    township = await office_of(divisions=("331124212",), officer="o3")
    filed = {"opened_on": "2026-03-10", "phone": None}
    here = await office.open(person(), baby("司空曙"), division_code=OTHER_TOWNSHIP, **filed)
    there = await neighbours.open(person(), baby("司空曙"), division_code=OTHER_COUNTY, **filed)
    people = [
        (await each.read(household_id))["members"][1]["person_id"]
        for each, household_id in ((office, here), (neighbours, there))
    ]

    seen = [await pair_of(each, *people) for each in (city, office, neighbours, township)]

    assert [len(pairs) for pairs in seen] == [1, 0, 0, 0]
    (pair,) = seen[0]
    for each in (office, neighbours):
        where = f"/v1/duplicates/{pair['candidate_id']}"
        answer = await each.client.post(f"{where}/dismiss", json={"reason": "x"})
        problem(answer, 404, "candidate_not_found")


async def test_a_dismissed_pair_stays_dismissed(office: Office) -> None:
    _, second, one, other = await one_baby_twice(office, "令狐冲")
    (pair,) = await pair_of(office, one, other)
    where = f"/v1/duplicates/{pair['candidate_id']}/dismiss"

    problem(await office.client.post(where, json={"reason": " "}), 422, "reason_missing")
    answer = await office.client.post(where, json={"reason": "同名同日出生的两名婴儿"})
    assert (answer.json()["state"], answer.json()["decided_by"]) == ("dismissed", "o1")
    problem(await office.client.post(where, json={"reason": "x"}), 409, "candidate_decided")
    await office.client.patch(
        f"/v1/households/{second}/members/{other}",
        json={"valid_from": "2026-04-01", "phone": "13799990002"},
        headers={"If-Match": office.etags[second]},
    )

    assert await pair_of(office, one, other) == []


async def test_a_confirmed_pair_leaves_one_of_the_two_in_his_household(
    registry: Registry, office: Office
) -> None:
    first, second, one, other = await one_baby_twice(office, "东方朔")
    (pair,) = await pair_of(office, one, other)
    where = f"/v1/duplicates/{pair['candidate_id']}/confirm"
    body = {
        "kept_person_id": one,
        "valid_from": "2026-03-10",
        "merge_households": False,
        "reason": "同一婴儿重复登记",
    }

    stranger = body | {"kept_person_id": pair["candidate_id"]}
    problem(await office.client.post(where, json=stranger), 422, "person_unknown")
    answer = await office.client.post(where, json=body)

    assert answer.json()["state"] == "confirmed"
    assert [(await office.read(each))["n"] for each in (first, second)] == [2, 1]


async def test_a_confirmed_pair_may_make_one_file_of_two(
    registry: Registry, office: Office
) -> None:
    first, second, one, other = await one_baby_twice(office, "西门豹")
    (pair,) = await pair_of(office, one, other)

    answer = await office.client.post(
        f"/v1/duplicates/{pair['candidate_id']}/confirm",
        json={
            "kept_person_id": one,
            "valid_from": "2026-03-12",
            "merge_households": True,
            "reason": "同一家庭重复建档",
        },
    )

    assert answer.status_code == 200, answer.text
    assert (await office.read(second))["state"] == "closed"
    members = {each["person_id"] for each in (await office.read(first))["members"]}
    assert (len(members), one in members, other in members) == (3, True, False)


async def test_of_two_decisions_at_once_one_passes(office: Office, office_of: OfficeOf) -> None:
    _, _, one, other = await one_baby_twice(office, "南宫适")
    (pair,) = await pair_of(office, one, other)
    colleague = await office_of(officer="o2")
    where = f"/v1/duplicates/{pair['candidate_id']}/dismiss"

    answers = await asyncio.gather(
        *(each.client.post(where, json={"reason": "两人"}) for each in (office, colleague))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_the_job_finds_whom_nobody_looked_at(registry: Registry, office: Office) -> None:
    """As it is for people registered before pairs were noted: no hashes, no pairs."""
    phone = "13799990003"
    heads = [
        (await office.read(await office.open(person(name=name), phone=phone)))["head_person_id"]
        for name in ("北宫黝", "北宫伯子")
    ]
    (pair,) = await pair_of(office, *heads)
    async with registry.worker.transaction() as session:
        for order in (
            "UPDATE persons SET phone_hash = NULL",
            "UPDATE households SET phone_hash = NULL",
            "UPDATE duplicate_candidates SET state = 'open', grounds = '{}'",
        ):
            await session.execute(text(order))

    elsewhere = await office.client.post("/v1/duplicates/search", json={"division": "331121"})
    problem(elsewhere, 403, "division_not_covered")
    answer = await office.client.post("/v1/duplicates/search", json={"division": "331124"})
    assert answer.status_code == 202, answer.text
    await work_off(registry)

    (again,) = await pair_of(office, *heads)
    assert again == pair


async def work_off(registry: Registry) -> None:
    """Run the worker's jobs until none is open."""
    stop = asyncio.Event()

    async def none_open() -> bool:
        return not await registry.rows("SELECT 1 FROM jobs WHERE state IN ('queued', 'running')")

    runner = asyncio.create_task(Runner(registry.worker, JOBS, poll_seconds=0.02).run(stop))
    try:
        await until(none_open, what="the jobs to end", every=0.02)
    finally:
        stop.set()
        await runner


async def test_a_name_and_birth_date_of_more_than_five_say_nothing(
    registry: Registry, office: Office
) -> None:
    filed: dict[str, Any] = {"opened_on": "2026-03-10", "phone": None}
    babies = [baby("司马众") for _ in range(6)]
    await office.open(person(), *babies[:5], **filed)
    five = await _pairs(registry)

    await office.open(person(), babies[5], **filed)

    assert (five, await _pairs(registry)) == (10, 10)


async def _pairs(registry: Registry) -> int:
    (row,) = await registry.rows(
        "SELECT count(*) AS n FROM duplicate_candidates AS pair "
        "JOIN persons ON persons.person_id = pair.first_person_id WHERE persons.name = '司马众'"
    )
    return int(row["n"])
