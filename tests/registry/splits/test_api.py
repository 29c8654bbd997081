"""One file made two: the old one goes on, the new one is linked to it, odd ones are looked at."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.identity import new_id
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    NEXT_VILLAGE,
    OTHER_COUNTY,
    Office,
    Registry,
    person,
    problem,
)

DAY = "2026-05-14"


async def family(office: Office, *, identified: bool = True) -> tuple[str, str, str, str]:
    """A couple with a son, and the ids of the three."""
    filing = office.identified if identified else office.open
    household_id = await filing(person(), person("spouse"), person("son"))
    members = (await office.read(household_id))["members"]
    relations = {member["relation"]: member["person_id"] for member in members}
    return household_id, relations["head"], relations["spouse"], relations["son"]


def divorce(spouse: str, *others: str, **given: Any) -> dict[str, Any]:
    """What an officer hands in: the wife leaves, with others."""
    return {
        "split_on": DAY,
        "person_ids": [spouse, *others],
        "head_person_id": spouse,
        "relations": dict.fromkeys(others, "son"),
        "division_code": NEXT_VILLAGE,
        "staying": {"incomes": {"wage": "5000"}},
        "going": {"incomes": {"wage": "1000.10"}},
        "account": "6228480012345679",
        "reason": "离婚",
    } | given


async def split(office: Office, household_id: str, body: dict[str, Any]) -> httpx.Response:
    return await office.client.post(f"/v1/households/{household_id}/splits", json=body)


async def parted(office: Office, household_id: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await split(office, household_id, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_divorce_makes_a_new_file_that_says_where_it_came_from(
    registry: Registry, office: Office
) -> None:
    old, head, spouse, son = await family(office)

    made = await parted(office, old, divorce(spouse, son))

    kind, version, stays = (await registry.states(old))[-1]
    assert (kind, version, stays.n, str(stays.head_person_id)) == ("split", 2, 1, head)
    assert [str(period.valid_from) for period in stays.periods] == ["2026-01-10", DAY]
    ((kind, version, goes),) = await registry.states(made["new_household_id"])
    assert (kind, version, goes.n) == ("identified", 1, 2)
    assert (str(goes.split_from), str(goes.effective_from)) == (old, DAY)
    assert [(member.relation, str(member.person_id)) for member in goes.members] == [
        ("head", spouse),
        ("son", son),
    ]
    assert (goes.category, goes.state, goes.episodes[0].origin) == ("dibao", "identified", "split")
    assert (str(stays.incomes.wage), str(goes.incomes.wage)) == ("5000.00", "1000.10")
    shown = await office.read(made["new_household_id"])
    assert shown["household_no"].startswith(NEXT_VILLAGE)
    assert shown["account"].endswith("5679")
    left = await registry.rows(
        "SELECT left_reason FROM members WHERE household_id = :id AND left_on = '2026-05-14'",
        id=old,
    )
    assert [row["left_reason"] for row in left] == ["split", "split"]
    places = await registry.rows(
        "SELECT DISTINCT division_code FROM persons WHERE person_id = ANY(:ids)", ids=[spouse, son]
    )
    assert places == [{"division_code": NEXT_VILLAGE}]
    asked: dict[str, str | bool] = {"household_id": made["new_household_id"], "kind": "plan"}
    (plan,) = (await office.client.get("/v1/tasks", params=asked)).json()["items"]
    assert plan["division_code"] == NEXT_VILLAGE


async def test_a_head_who_goes_names_who_follows(registry: Registry, office: Office) -> None:
    old, head, spouse, son = await family(office)
    body = divorce(head, son)

    problem(await split(office, old, body), 422, "head_missing")
    await parted(office, old, body | {"new_head_person_id": spouse})

    assert str((await registry.states(old))[-1][2].head_person_id) == spouse


async def test_a_household_that_applies_becomes_two_that_apply(
    registry: Registry, office: Office
) -> None:
    old, _, spouse, _ = await family(office, identified=False)

    made = await parted(office, old, divorce(spouse))

    assert made["watched"]
    assert (await office.read(made["new_household_id"]))["state"] == "accepted"
    assert await registry.states(old) == []
    assert await registry.states(made["new_household_id"]) == []


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"split_on": "2026-01-09"}, 422, "later_facts_exist"),
        ({"split_on": "2999-01-01"}, 422, "date_in_future"),
        ({"reason": " "}, 422, "reason_missing"),
        ({"person_ids": [str(new_id())]}, 422, "member_unknown"),
        ({"head_person_id": str(new_id())}, 422, "head_missing"),
        ({"division_code": OTHER_COUNTY}, 422, "division_not_yours"),
        ({"division_code": "331124002999"}, 422, "division_unknown"),
        ({"going": {"incomes": {"wage": "-1"}}}, 422, "amount_negative"),
        ({"going": {}}, 422, "request_invalid"),
        ({"person_ids": []}, 422, "request_invalid"),
        ({"account": "12"}, 422, "account_invalid"),
    ],
)
async def test_what_is_no_split(
    registry: Registry, office: Office, given: dict[str, Any], *, status: int, code: str
) -> None:
    old, _, spouse, _ = await family(office)
    before = await registry.counted("household_versions", "decisions", "events", "splits", "tasks")

    problem(await split(office, old, divorce(spouse, **given)), status, code)

    after = await registry.counted("household_versions", "decisions", "events", "splits", "tasks")
    assert after == before


async def test_everybody_cannot_go(office: Office) -> None:
    old, head, spouse, son = await family(office)
    answer = await split(office, old, divorce(head, spouse, son))
    body = problem(answer, 422, "head_missing")
    assert "nobody_counts" in {fault["code"] for fault in body["errors"]}


async def test_a_household_lifted_does_not_split(office: Office) -> None:
    household_id = await office.long_identified(person(), person("spouse"))
    spouse = (await office.read(household_id))["members"][1]["person_id"]
    await office.ready_to_lift(household_id)
    await office.decide(household_id, "lift", decided_on="2025-08-01")

    answer = await split(office, household_id, divorce(spouse))

    problem(answer, 422, "split_needs_open_case")


async def test_a_split_soon_after_the_identification_is_looked_at_by_another_officer(
    registry: Registry, office: Office, office_of: OfficeOf
) -> None:
    old, _, spouse, _ = await family(office)
    made = await parted(office, old, divorce(spouse, split_on="2026-02-01"))
    assert made["watched"]
    tasks: dict[str, str | bool] = {"kind": "split_review", "household_id": old, "open": True}
    (task,) = (await office.client.get("/v1/tasks", params=tasks)).json()["items"]
    assert task["subject_id"] == made["split_id"]
    where = f"/v1/splits/{made['split_id']}/review"
    body = {"outcome": "genuine", "reason": "入户核实,确已分居"}
    second, stranger = await office_of(officer="o2"), await office_of(divisions=("331121",))

    problem(await office.client.post(where, json=body), 422, "same_officer")
    problem(await stranger.client.post(where, json=body), 404, "split_not_found")
    problem(await second.client.post(where, json=body | {"reason": ""}), 422, "reason_missing")
    answer = await second.client.post(where, json=body)
    assert (answer.json()["outcome"], answer.json()["reviewed_by"]) == ("genuine", "o2")
    problem(await second.client.post(where, json=body), 409, "split_reviewed")

    assert (await office.client.get("/v1/tasks", params=tasks)).json()["items"] == []
    listed = (await office.client.get(f"/v1/households/{old}/splits")).json()
    assert [each["outcome"] for each in listed] == ["genuine"]


async def test_of_two_splits_at_once_one_passes(
    registry: Registry, office: Office, office_of: OfficeOf, postgres: str
) -> None:
    old, _, spouse, son = await family(office)
    colleague = await office_of(officer="o2")

    async with registry.held_back(postgres, old, waiting=2):
        both = [
            asyncio.ensure_future(split(each, old, divorce(spouse, *others)))
            for each, others in ((office, ()), (colleague, (son,)))
        ]
    answers = await asyncio.gather(*both)

    assert sorted(answer.status_code for answer in answers) == [201, 422]
