"""What is refused of placements and their ends, all of it told, nothing stored (C45, C46)."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared import clock
from shared.contracts.registry import HouseholdState, LaborAbility, Member, SchoolStage, State
from shared.db import Database
from shared.identity import new_id
from tests.employment.jobs.placing import end, place, placed
from tests.employment.support import (
    birthday,
    days_ago,
    everything,
    receive,
    rows,
    worker_of,
)
from tests.support.builders import household

pytestmark = pytest.mark.usefixtures("figures")


REFUSED: tuple[tuple[dict[str, Any], dict[str, str], str], ...] = (
    ({"birth_date": birthday(15)}, {}, "under_sixteen"),
    ({"school_stage": SchoolStage.SENIOR}, {}, "enrolled_in_school"),
    ({"labor_ability": LaborAbility.LOST}, {}, "not_able"),
    ({"birth_date": birthday(70)}, {}, "past_working_age"),
    ({}, {"from": "2999-01-01"}, "from_in_future"),
    ({}, {"until": "2020-01-01"}, "until_before_from"),
    ({}, {"kind": "migrant_work", "from": "1990-01-01"}, "under_sixteen"),
)


async def test_refused(client: httpx.AsyncClient, worker: Database) -> None:
    people = [worker_of(**facts) for facts, *_ in REFUSED]
    await receive(worker, *(household(members=[person]) for person in people))
    before = await everything(worker)
    for person, (_, order, code) in zip(people, REFUSED, strict=True):
        answer = await place(client, person, **order)
        assert answer.status_code == 422, answer.text
        assert code in {fault["code"] for fault in answer.json()["errors"]}
    assert await everything(worker) == before


async def test_every_fault_is_told(client: httpx.AsyncClient, worker: Database) -> None:
    person = worker_of(school_stage=SchoolStage.SENIOR)
    await receive(worker, household(members=[person]))
    answer = await place(client, person, **{"from": "2999-01-01", "until": "2020-01-01"})
    told = [(fault["where"], fault["code"]) for fault in answer.json()["errors"]]
    assert told == [
        ("#/person_id", "enrolled_in_school"),
        ("#/from", "from_in_future"),
        ("#/until", "until_before_from"),
    ]


BAD: tuple[dict[str, Any], ...] = (
    {"kind": "holiday"},
    {"from": "yesterday"},
    {"monthly_wage": "-1"},
    {"monthly_wage": "1.234"},
    {"monthly_wage": "NaN"},
    {"employer": " "},
    {"employer": "a\x00b"},
    {"employer": "长" * 101},
    {"person_id": "nobody"},
    {"colour": "red"},
)


async def test_bad_input_is_told_and_stores_nothing(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    for body in BAD:
        answer = await place(client, idle, **body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"], body
    assert await rows(worker, "SELECT 1 FROM placements") == []


async def test_nobody_without_a_profile(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState
) -> None:
    answer = await place(client, worker_of())
    assert (answer.status_code, answer.json()["code"]) == (404, "labour_profile_unknown")
    lifted = worker_of()
    await receive(worker, household(members=[lifted], state=State.LIFTED))
    answer = await place(client, lifted)
    assert (answer.status_code, answer.json()["code"]) == (404, "labour_profile_unknown")


async def test_one_open_placement_of_a_kind(
    client: httpx.AsyncClient, home: HouseholdState, idle: Member
) -> None:
    first = await placed(client, idle, kind="public_welfare_job", **{"from": str(days_ago(30))})
    answer = await place(client, idle, kind="public_welfare_job")
    assert (answer.status_code, answer.json()["code"]) == (409, "placement_open")
    assert first["placement_id"] in answer.json()["detail"]
    await placed(client, idle, kind="licensed_business")
    assert (await end(client, first["placement_id"], ended_on=str(days_ago(5)))).status_code == 200
    answer = await place(client, idle, kind="public_welfare_job", **{"from": str(days_ago(6))})
    assert (answer.status_code, answer.json()["code"]) == (409, "public_welfare_job_overlaps")
    await placed(client, idle, kind="public_welfare_job", **{"from": str(days_ago(5))})


async def test_migrant_work_waits_for_its_figure(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    async with worker.transaction() as session:
        await session.execute(
            text(
                "UPDATE policy_parameters SET valid_from = '2999-01-01'"
                " WHERE key = 'emp.migrant_months'"
            )
        )
    answer = await place(client, idle, kind="migrant_work")
    assert (answer.status_code, answer.json()["code"]) == (422, "migrant_months_missing")


async def test_an_end_that_is_refused(
    client: httpx.AsyncClient, worker: Database, home: HouseholdState, idle: Member
) -> None:
    made = await placed(client, idle)
    before = await everything(worker)
    for body, status, code in (
        ({"ended_on": "2020-01-01"}, 422, "ended_before_from"),
        ({"ended_on": "2999-01-01"}, 422, "ended_in_future"),
        ({"etag": '"2"'}, 412, "placement_changed"),
    ):
        answer = await end(client, made["placement_id"], **body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await everything(worker) == before


async def test_an_end_needs_its_version_and_comes_once(
    client: httpx.AsyncClient, home: HouseholdState, idle: Member
) -> None:
    made = await placed(client, idle)
    path = f"/v1/placements/{made['placement_id']}/end"
    body = {"ended_on": str(clock.today()), "reason": "resigned"}
    assert (await client.post(path, json=body)).status_code == 428
    assert (await end(client, made["placement_id"])).status_code == 200
    answer = await end(client, made["placement_id"], etag='"2"')
    assert (answer.status_code, answer.json()["code"]) == (409, "placement_ended")
    answer = await end(client, str(new_id()))
    assert (answer.status_code, answer.json()["code"]) == (404, "placement_unknown")
