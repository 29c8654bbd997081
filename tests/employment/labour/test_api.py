"""What officers and systems ask about labour, and what they are told in Chinese (C44, C45)."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from shared import clock
from shared.contracts.registry import LaborAbility, SchoolStage, State, Work
from shared.db import Database
from shared.identity import new_id
from tests.employment.support import in_state, load_calendar, receive, rows, worker_of
from tests.support.builders import household

pytestmark = pytest.mark.usefixtures("figures")


async def get(client: httpx.AsyncClient, path: str, **asked: Any) -> Any:
    answer = await client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_profiles_by_status_household_and_page(
    client: httpx.AsyncClient, worker: Database
) -> None:
    idle, farmer, student = (
        worker_of(),
        worker_of(Work.FARMING),
        worker_of(school_stage=SchoolStage.COLLEGE),
    )
    one, other = household(members=[idle, farmer]), household(members=[student])
    await receive(worker, one, other)
    for asked, people in (
        ({}, [idle, farmer, student]),
        ({"status": "unemployed"}, [idle]),
        ({"status": "student"}, [student]),
        ({"status": "resting"}, []),
        ({"household": str(one.household_id)}, [idle, farmer]),
        ({"division": "331124100"}, [idle, farmer, student]),
        ({"division": "331124101"}, []),
    ):
        items = (await get(client, "/v1/labour-profiles", **asked))["items"]
        assert {item["person_id"] for item in items} == {str(p.person_id) for p in people}, asked
    first = await get(client, "/v1/labour-profiles", limit=2)
    rest = await get(client, "/v1/labour-profiles", cursor=first["next_cursor"])
    assert len(first["items"] + rest["items"]) == 3
    assert (await client.get("/v1/labour-profiles", params={"status": "lazy"})).status_code == 422


async def test_one_profile_with_its_grounds_and_placements(
    client: httpx.AsyncClient, worker: Database
) -> None:
    person = worker_of(labor_ability=LaborAbility.WEAK)
    await receive(worker, household(members=[person]))
    order = {
        "person_id": str(person.person_id),
        "kind": "licensed_business",
        "from": str(clock.today()),
    }
    before = await get(client, f"/v1/labour-profiles/{person.person_id}")
    assert before["reasons_zh"] == [
        "弱劳动力，视为有劳动能力",
        "就业愿望未登记，按有就业愿望处理",
        "失业",
    ]
    assert before["facts"]["labor_ability"] == "weak"
    assert before["placements"] == []
    assert (await client.post("/v1/placements", json=order)).status_code == 201
    after = await get(client, f"/v1/labour-profiles/{person.person_id}")
    assert (after["status"], after["reasons_zh"]) == ("employed", ["已领取营业执照自主创业"])
    (placement,) = after["placements"]
    assert (placement["kind"], placement["from"]) == ("licensed_business", str(clock.today()))
    answer = await client.get(f"/v1/labour-profiles/{new_id()}")
    assert (answer.status_code, answer.json()["code"]) == (404, "labour_profile_unknown")


async def test_a_household_s_work_and_why(client: httpx.AsyncClient, worker: Database) -> None:
    await load_calendar(worker)
    idle, ill = worker_of(), worker_of(labor_ability=LaborAbility.LOST)
    state = household(members=[idle, ill])
    await receive(worker, state)
    found = await get(client, f"/v1/households/{state.household_id}/employment")
    assert (found["outcome"], found["able"], found["willing"], found["employed"]) == (
        "zero_employment",
        1,
        1,
        0,
    )
    assert found["outcome_zh"] == "有劳动能力和就业愿望的成员均未就业，属零就业家庭"
    assert found["guarantee"] == {
        "met": False,
        "evidence_id": "zero_employment",
        "since": str(clock.today()),
    }
    assert {item["status"] for item in found["profiles"]} == {"unemployed", "not_able"}
    assert found["open_case"]["person_ids"] == [str(idle.person_id)]
    assert found["open_case"]["offer_due_on"] > str(clock.today() + timedelta(days=19))
    await receive(worker, in_state(state, State.LIFTED), version=2)
    found = await get(client, f"/v1/households/{state.household_id}/employment")
    assert (found["on_assistance"], found["open_case"]) == (False, None)
    assert found["cases"][0]["outcome_zh"] == "家庭已不在帮扶中，结案"
    assert found["profiles"][0]["reasons_zh"][0] == "家庭已脱贫，档案暂停"
    answer = await client.get(f"/v1/households/{new_id()}/employment")
    assert (answer.status_code, answer.json()["code"]) == (404, "employment_unknown")


async def test_cases_open_overdue_and_closed(client: httpx.AsyncClient, worker: Database) -> None:
    late, open_, closed = (household(members=[worker_of()]) for _ in range(3))
    await receive(worker, late, open_, closed)
    await receive(worker, in_state(closed, State.EXITED), version=2)
    today, yesterday = clock.today(), clock.today() - timedelta(days=1)
    for state, due in ((late, yesterday), (open_, today), (closed, yesterday)):
        await _due(worker, state.household_id, due)
    for asked, states in (
        ({}, [late, open_, closed]),
        ({"open": "true"}, [late, open_]),
        ({"open": "false"}, [closed]),
        ({"overdue": "true"}, [late]),
        ({"overdue": "false"}, [open_, closed]),
        ({"open": "true", "division": "331124"}, [late, open_]),
        ({"division": "331102"}, []),
    ):
        items = (await get(client, "/v1/zero-employment", **asked))["items"]
        found = {item["household_id"] for item in items}
        assert found == {str(state.household_id) for state in states}, asked
    overdue = (await get(client, "/v1/zero-employment", overdue="true"))["items"]
    assert overdue[0]["overdue"] is True
    figures = await get(client, "/v1/labour-profiles/summary", division="331124")
    assert (figures["zero_employment_open"], figures["zero_employment_overdue"]) == (2, 1)
    first = await get(client, "/v1/zero-employment", limit=1)
    rest = await get(client, "/v1/zero-employment", cursor=first["next_cursor"])
    assert len(first["items"] + rest["items"]) == 3


async def _due(worker: Database, household_id: Any, due: date) -> None:
    await rows(
        worker,
        "UPDATE zero_employment_cases SET offer_due_on = :due WHERE household_id = :id"
        " RETURNING case_id",
        due=due,
        id=household_id,
    )


async def test_a_division_in_figures(client: httpx.AsyncClient, worker: Database) -> None:
    gone = household(members=[worker_of()])
    await receive(
        worker,
        household(
            members=[
                worker_of(),
                worker_of(Work.FARMING),
                worker_of(willing_to_work=False),
                worker_of(labor_ability=LaborAbility.LOST),
                worker_of(school_stage=SchoolStage.SENIOR),
            ]
        ),
        household(members=[worker_of(Work.NOT_WORKING)]),
        gone,
    )
    await receive(worker, in_state(gone, State.EXITED), version=2)
    figures = await get(client, "/v1/labour-profiles/summary", division="331124")
    assert figures == {
        "division": "331124",
        "profiles": 6,
        "able": 4,
        "willing": 3,
        "employed": 1,
        "unemployed": 2,
        "resting": 1,
        "zero_employment_open": 1,
        "zero_employment_overdue": 0,
    }


async def test_every_look_is_written_down(client: httpx.AsyncClient, worker: Database) -> None:
    person = worker_of()
    state = household(members=[person])
    await receive(worker, state)
    for path in (
        "/v1/labour-profiles",
        f"/v1/labour-profiles/{person.person_id}",
        "/v1/zero-employment",
        f"/v1/households/{state.household_id}/employment",
    ):
        await get(client, path)
    lines = await rows(worker, "SELECT * FROM audit_log WHERE action LIKE '%read' ORDER BY id")
    told = [(line["action"], line["subject_id"]) for line in lines]
    assert told == [
        ("labour_profile.read", str(person.person_id)),
        ("labour_profile.read", str(person.person_id)),
        ("labour.read", str(state.household_id)),
        ("labour.read", str(state.household_id)),
    ]
