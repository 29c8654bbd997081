"""Groups, their people and log, centres, and who is left without, by the real routes (C55)."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared import clock
from shared.contracts.registry import HouseholdState
from shared.db import Database
from tests.relief.support import receive, rows
from tests.support.builders import VILLAGE, household, member

TODAY = clock.today()
FOUNDED = (TODAY - timedelta(days=30)).isoformat()


@pytest.fixture
async def home(worker: Database) -> HouseholdState:
    """An elder and a child whom their family left behind."""
    elder = member(left_behind=True, birth_date=date(1950, 1, 1))
    child = member(left_behind=True, birth_date=TODAY - timedelta(days=3000))
    state = household(members=[elder, child, member(left_behind=False)])
    await receive(worker, state)
    return state


@pytest.fixture
async def group(client: httpx.AsyncClient) -> str:
    """A group of the household's village."""
    body = {"division": VILLAGE, "name": "邻里互助组", "founded_on": FOUNDED}
    answer = await client.post("/v1/mutual-aid/groups", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["group_id"])


async def join(
    client: httpx.AsyncClient, group: str, person: UUID, role: str, **changes: Any
) -> httpx.Response:
    body = {"person_id": str(person), "role": role, "joined_on": FOUNDED} | changes
    return await client.post(f"/v1/mutual-aid/groups/{group}/members", json=body)


async def uncared(client: httpx.AsyncClient, **asked: Any) -> dict[str, str]:
    answer = await client.get("/v1/mutual-aid/uncared", params=asked)
    assert answer.status_code == 200, answer.text
    return {each["person_id"]: each["kind"] for each in answer.json()["items"]}


async def test_a_left_behind_elder_without_a_group_is_listed(
    client: httpx.AsyncClient, home: HouseholdState, group: str, neighbour: httpx.AsyncClient
) -> None:
    elder, child = (each.person_id for each in home.members[:2])
    assert await uncared(client) == {str(elder): "elder", str(child): "child"}
    assert await uncared(client, division=VILLAGE) == await uncared(client)
    assert await uncared(client, division="331124101") == {}
    assert await uncared(neighbour) == {}
    joined = await join(client, group, elder, "cared_for")
    assert joined.status_code == 201, joined.text
    assert await uncared(client) == {str(child): "child"}
    assert (await join(client, group, child, "helper")).status_code == 201
    assert await uncared(client) == {str(child): "child"}
    stay = joined.json()["members"][0]["membership_id"]
    left = await client.post(
        f"/v1/mutual-aid/memberships/{stay}/leave", json={"left_on": TODAY.isoformat()}
    )
    assert left.status_code == 200
    assert await uncared(client) == {str(elder): "elder", str(child): "child"}


async def test_of_two_leaders_at_once_one_is_refused(
    client: httpx.AsyncClient, group: str, worker: Database
) -> None:
    answers = await asyncio.gather(*(join(client, group, uuid4(), "leader") for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "leader_exists"}
    assert len(await rows(worker, "SELECT 1 FROM mutual_aid_members")) == 1


async def test_a_person_joins_and_leaves_once(client: httpx.AsyncClient, group: str) -> None:
    person = uuid4()
    answers = await asyncio.gather(*(join(client, group, person, "helper") for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    shown = (await client.get(f"/v1/mutual-aid/groups/{group}")).json()
    (stay,) = shown["members"]
    url = f"/v1/mutual-aid/memberships/{stay['membership_id']}/leave"
    last = {"left_on": TODAY.isoformat()}
    ends = await asyncio.gather(*(client.post(url, json=last) for _ in range(2)))
    assert sorted(answer.status_code for answer in ends) == [200, 409]
    again = await join(client, group, person, "helper", joined_on=TODAY.isoformat())
    assert again.status_code == 201


async def test_the_log_takes_what_the_groups_people_did(
    client: httpx.AsyncClient, home: HouseholdState, group: str
) -> None:
    elder = home.members[0].person_id
    await join(client, group, elder, "cared_for")
    url = f"/v1/mutual-aid/groups/{group}/activities"
    body = {"held_on": TODAY.isoformat(), "kind": "meals", "person_ids": [str(elder)]}
    written = await client.post(url, json=body)
    assert written.status_code == 201, written.text
    stranger = body | {"person_ids": [str(elder), str(uuid4())], "held_on": "2999-01-01"}
    refused = await client.post(url, json=stranger)
    assert refused.status_code == 422
    assert {(each["where"], each["code"]) for each in refused.json()["errors"]} == {
        ("#/held_on", "held_on_impossible"),
        ("#/person_ids/1", "not_a_member"),
    }
    (entry,) = (await client.get(url)).json()["items"]
    assert (entry["kind"], entry["recorded_by"]) == ("meals", "o1")


async def test_who_is_cared_for_is_registered_here(
    client: httpx.AsyncClient, group: str, worker: Database
) -> None:
    stranger = household(division_code="331102001001")
    await receive(worker, stranger)
    for person in (uuid4(), stranger.members[0].person_id):
        answer = await join(client, group, person, "cared_for")
        assert (answer.status_code, answer.json()["code"]) == (422, "person_unknown")


async def test_a_dissolved_group_lets_everybody_go(
    client: httpx.AsyncClient, home: HouseholdState, group: str
) -> None:
    elder = home.members[0].person_id
    await join(client, group, elder, "cared_for", joined_on=TODAY.isoformat())
    url = f"/v1/mutual-aid/groups/{group}/dissolve"
    early = await client.post(url, json={"dissolved_on": FOUNDED})
    assert (early.status_code, early.json()["code"]) == (422, "dissolved_on_impossible")
    last = {"dissolved_on": TODAY.isoformat()}
    answers = await asyncio.gather(*(client.post(url, json=last) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert str(elder) in await uncared(client)
    late = await join(client, group, uuid4(), "helper")
    assert (late.status_code, late.json()["code"]) == (409, "group_dissolved")


async def test_a_centre_has_a_capacity_and_closes_once(client: httpx.AsyncClient) -> None:
    body = {
        "division": "331124100",
        "name": "西屏街道居家养老服务中心",
        "capacity": 40,
        "opened_on": FOUNDED,
    }
    opened = await client.post("/v1/home-care-centres", json=body)
    assert (opened.status_code, opened.json()["capacity"]) == (201, 40)
    for wrong in ({"capacity": 0}, {"capacity": 1.5}, {"opened_on": "2999-01-01"}, {"name": " "}):
        assert (await client.post("/v1/home-care-centres", json=body | wrong)).status_code == 422
    url = f"/v1/home-care-centres/{opened.json()['centre_id']}/close"
    last = {"closed_on": TODAY.isoformat()}
    answers = await asyncio.gather(*(client.post(url, json=last) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (centre,) = (await client.get("/v1/home-care-centres")).json()["items"]
    assert centre["closed_on"] == TODAY.isoformat()


async def test_nothing_is_done_in_another_county(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient, group: str
) -> None:
    new = {"division": VILLAGE, "name": "组", "founded_on": FOUNDED}
    refused = await neighbour.post("/v1/mutual-aid/groups", json=new)
    assert (refused.status_code, refused.json()["code"]) == (403, "division_not_covered")
    joined = (await join(client, group, uuid4(), "helper")).json()["members"][0]
    base = f"/v1/mutual-aid/groups/{group}"
    day = TODAY.isoformat()
    for url, body in (
        (f"{base}/members", {"person_id": str(uuid4()), "role": "helper", "joined_on": day}),
        (f"{base}/dissolve", {"dissolved_on": day}),
        (
            f"{base}/activities",
            {"held_on": day, "kind": "visit", "person_ids": [joined["person_id"]]},
        ),
        (f"/v1/mutual-aid/memberships/{joined['membership_id']}/leave", {"left_on": day}),
        (f"/v1/home-care-centres/{uuid4()}/close", {"closed_on": day}),
    ):
        assert (await neighbour.post(url, json=body)).status_code == 404, url
