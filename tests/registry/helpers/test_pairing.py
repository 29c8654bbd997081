"""Helpers registered, paired, transferred and gone: over the API, and two at once."""

import asyncio
from collections.abc import Iterable
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.registry.conftest import OfficeOf
from tests.registry.filing import ALL, OTHER_TOWNSHIP, Office, Registry, problem

RIGHTS = f"{ALL} registry.helpers:read registry.helpers:write registry.determination:write"
_officers = count(1)


@pytest.fixture
async def desk(office_of: OfficeOf) -> Office:
    """The county's desk for helpers."""
    return await office_of(RIGHTS)


async def helper(desk: Office, **given: Any) -> str:
    body = {
        "division_code": "331124",
        "officer_id": f"h{next(_officers)}",
        "name": "周帮扶",
        "phone": "13900001111",
        "kind": "village_cadre",
        "unit": "大竹溪村村委会",
        "started_on": "2026-01-01",
    }
    answer = await desk.client.post("/v1/helpers", json=body | given)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["helper_id"])


async def pair(desk: Office, household_id: str, helper_id: str, **given: Any) -> httpx.Response:
    body = {
        "household_id": household_id,
        "helper_id": helper_id,
        "lead": True,
        "paired_on": "2026-02-01",
        "related": False,
    }
    return await desk.client.post("/v1/pairings", json=body | given)


async def paired(desk: Office, household_id: str, helper_id: str, **given: Any) -> dict[str, Any]:
    answer = await pair(desk, household_id, helper_id, **given)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def listed(desk: Office, what: str = "", **query: Any) -> list[dict[str, Any]]:
    answer = await desk.client.get(f"/v1/pairings{what}", params={"limit": 200} | query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def unled(desk: Office) -> set[str]:
    return {each["household_id"] for each in await listed(desk, "/without-lead")}


async def tasks(desk: Office, household_id: str) -> list[str]:
    answer = await desk.client.get("/v1/tasks", params={"household_id": household_id, "open": True})
    return [each["kind"] for each in answer.json()["items"] if each["kind"] != "plan"]


async def test_a_household_is_without_lead_until_it_is_paired_and_again_when_he_leaves(
    desk: Office, registry: Registry
) -> None:
    household_id = await desk.identified()
    assert household_id in await unled(desk)
    who = await helper(desk, officer_id="own")

    made = await paired(desk, household_id, who)

    assert (made["name"], made["phone"], made["flag"]) == ("周*", "139****1111", None)
    assert household_id not in await unled(desk)
    problem(await pair(desk, household_id, await helper(desk)), 409, "lead_exists")
    problem(await pair(desk, household_id, who, lead=False), 409, "already_paired")
    left = await desk.client.post(f"/v1/helpers/{who}/leave", json={"left_on": "2026-03-01"})
    assert left.json() == {"pairings_ended": 1}
    assert household_id in await unled(desk)
    (ended,) = await listed(desk, household_id=household_id)
    assert (ended["ended_on"], ended["end_reason"]) == ("2026-03-01", "helper_left")
    problem(await pair(desk, household_id, who), 404, "helper_not_found")
    again = await desk.client.post(f"/v1/helpers/{who}/leave", json={"left_on": "2026-03-01"})
    problem(again, 409, "helper_left")
    stored = await registry.rows("SELECT name_encrypted FROM helpers WHERE officer_id = 'own'")
    assert "周帮扶".encode() not in stored[0]["name_encrypted"]


async def test_an_officer_stands_on_the_register_once(desk: Office) -> None:
    await helper(desk, officer_id="once")
    body = {
        "division_code": "331124",
        "officer_id": "once",
        "name": "周",
        "kind": "organ",
        "unit": "x",
        "started_on": "2026-01-01",
    }
    problem(await desk.client.post("/v1/helpers", json=body), 409, "helper_registered")
    elsewhere = await desk.client.post("/v1/helpers", json=body | {"division_code": "331121"})
    problem(elsewhere, 403, "division_not_yours")


async def test_a_helper_sees_his_own_households(desk: Office, office_of: OfficeOf) -> None:
    household_id = await desk.identified()
    await paired(desk, household_id, await helper(desk, officer_id="o55"))
    himself = await office_of("registry.helpers:read", officer="o55")

    assert [each["household_id"] for each in await listed(himself, helper="me")] == [household_id]
    assert await listed(await office_of("registry.helpers:read", officer="o56"), helper="me") == []


async def test_relatives_do_not_help_each_other(desk: Office) -> None:
    household_id = await desk.identified()
    who = await helper(desk, officer_id="kin")
    problem(await pair(desk, household_id, who, related=True), 422, "helper_is_relative")
    filing = {
        "person_id": (await desk.read(household_id))["head_person_id"],
        "kind": "staff",
        "position": "村文书",
        "relation": "兄弟",
        "registered_on": "2026-01-05",
        "staff_officer_id": "kin",
    }
    entry = await desk.client.post("/v1/staff-relatives", json=filing)
    assert entry.status_code == 201, entry.text

    problem(await pair(desk, household_id, who), 422, "helper_is_relative")
    assert await listed(desk, household_id=household_id) == []


async def test_a_village_cadre_alone_at_a_4600_household_is_flagged_until_staff_join(
    desk: Office,
) -> None:
    household_id = await desk.identified(category="group_4600")
    made = await paired(desk, household_id, await helper(desk))
    assert made["flag"] == "cadre_alone"
    assert await tasks(desk, household_id) == ["re_pair"]
    assert [each["household_id"] for each in await listed(desk, flagged=True)] == [household_id]

    staff = await paired(desk, household_id, await helper(desk, kind="institution"), lead=False)

    assert await listed(desk, flagged=True) == []
    assert await tasks(desk, household_id) == []
    end = {"ended_on": "2026-03-01", "reason": "调离"}
    ended = await desk.client.post(f"/v1/pairings/{staff['pairing_id']}/end", json=end)
    assert ended.status_code == 200, ended.text
    again = await desk.client.post(f"/v1/pairings/{staff['pairing_id']}/end", json=end)
    problem(again, 409, "pairing_ended")
    assert await tasks(desk, household_id) == ["re_pair"]


async def test_a_new_category_asks_for_other_helpers_and_an_exit_ends_them(desk: Office) -> None:
    household_id = await desk.identified()
    await paired(desk, household_id, await helper(desk))
    assert await tasks(desk, household_id) == []

    await desk.change(
        household_id, valid_from="2026-03-01", category="group_4600", reason="类别变更"
    )

    (flagged,) = await listed(desk, household_id=household_id)
    assert flagged["flag"] == "cadre_alone"
    assert await tasks(desk, household_id) == ["re_pair"]
    await desk.announce(household_id, "exit", closed_on="2026-03-15")
    await desk.decide(household_id, "exit", decided_on="2026-03-15", reason="自愿退出")
    (ended,) = await listed(desk, household_id=household_id)
    assert (ended["ended_on"], ended["end_reason"]) == ("2026-03-15", "household_left")
    assert await tasks(desk, household_id) == []
    assert household_id not in await unled(desk)


async def test_a_transfer_keeps_the_lead_and_is_handed_over_once(desk: Office) -> None:
    household_id = await desk.identified()
    made = await paired(desk, household_id, await helper(desk))
    to = {
        "helper_id": await helper(desk),
        "transferred_on": "2026-03-02",
        "related": False,
        "reason": "轮岗",
    }
    where = f"/v1/pairings/{made['pairing_id']}/transfer"
    answer = await desk.client.post(where, json=to)
    assert answer.status_code == 200, answer.text
    new = answer.json()

    assert (new["lead"], new["transferred"]) == (True, True)
    assert new["handover_due_on"] > "2026-03-13"
    assert await tasks(desk, household_id) == ["handover"]
    problem(await desk.client.post(where, json=to), 409, "pairing_ended")
    done = f"/v1/pairings/{new['pairing_id']}/hand-over"
    early = await desk.client.post(done, json={"handed_over_on": "2026-03-01"})
    problem(early, 422, "before_beginning")
    assert (await desk.client.post(done, json={"handed_over_on": "2026-03-09"})).status_code == 200
    again = await desk.client.post(done, json={"handed_over_on": "2026-03-09"})
    problem(again, 409, "handover_not_open")
    assert await tasks(desk, household_id) == []


async def test_a_township_sees_its_own_and_pairs_the_countys_helpers(
    desk: Office, office_of: OfficeOf
) -> None:
    household_id = await desk.identified()
    township = await office_of(RIGHTS, divisions=("331124002",), officer="t1")
    next_door = await office_of(RIGHTS, divisions=("331124212",), officer="t2")
    who = await helper(desk)

    problem(await pair(next_door, household_id, who), 404, "household_not_found")
    made = await paired(township, household_id, who)

    assert await listed(next_door, household_id=household_id) == []
    end = {"ended_on": "2026-03-01", "reason": "x"}
    theirs = await next_door.client.post(f"/v1/pairings/{made['pairing_id']}/end", json=end)
    problem(theirs, 404, "pairing_not_found")
    leaving = await township.client.post(f"/v1/helpers/{who}/leave", json={"left_on": "2026-03-01"})
    problem(leaving, 404, "helper_not_found")
    far = await helper(desk, division_code="331124212")
    problem(await pair(desk, household_id, far, lead=False), 422, "helper_elsewhere")


def statuses(answers: Iterable[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


async def test_of_two_leads_named_at_once_the_second_is_refused(
    desk: Office, registry: Registry, postgres: str
) -> None:
    household_id = await desk.identified()
    first, second = await helper(desk), await helper(desk)

    async with registry.held_back(postgres, household_id, 2):
        both = [asyncio.ensure_future(pair(desk, household_id, who)) for who in (first, second)]
    answers = await asyncio.gather(*both)

    assert statuses(answers) == [201, 409]
    assert len(await listed(desk, household_id=household_id)) == 1


async def test_the_sixth_household_is_one_too_many_though_two_come_at_once(
    desk: Office, registry: Registry, office_of: OfficeOf, postgres: str
) -> None:
    who = await helper(desk)
    for _ in range(4):
        await paired(desk, await desk.identified(), who)
    here, there = await desk.identified(), await desk.identified(division_code=OTHER_TOWNSHIP)
    township = await office_of(RIGHTS, divisions=("331124002",), officer="t1")
    other = await office_of(RIGHTS, divisions=("331124212",), officer="t2")

    async with registry.worker.transaction() as session:
        held = text("SELECT 1 FROM helpers WHERE helper_id = :id FOR UPDATE")
        await session.execute(held, {"id": who})
        both = [
            asyncio.ensure_future(pair(township, here, who)),
            asyncio.ensure_future(pair(other, there, who)),
        ]
        await registry.until_waiting(postgres, 2)
    answers = await asyncio.gather(*both)

    assert statuses(answers) == [201, 422]
    refused = next(answer for answer in answers if answer.status_code != 201)
    problem(refused, 422, "helper_load")
    assert len(await listed(desk, helper=who)) == 5


async def test_who_leaves_hands_nothing_over_and_the_others_are_judged_anew(desk: Office) -> None:
    household_id = await desk.identified(category="group_4600")
    made = await paired(desk, household_id, await helper(desk))
    leaver = await helper(desk, kind="institution")
    to = {
        "helper_id": leaver,
        "transferred_on": "2026-03-02",
        "related": False,
        "reason": "轮岗",
    }
    await desk.client.post(f"/v1/pairings/{made['pairing_id']}/transfer", json=to)
    await paired(desk, household_id, await helper(desk), lead=False)
    assert await tasks(desk, household_id) == ["handover"]

    left = await desk.client.post(f"/v1/helpers/{leaver}/leave", json={"left_on": "2026-03-10"})

    assert left.json() == {"pairings_ended": 1}
    assert await tasks(desk, household_id) == ["re_pair"]
    assert household_id in await unled(desk)
