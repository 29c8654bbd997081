"""Files, figures, tasks, and enrolments that schools report."""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.contracts.registry import Education, HouseGrade, SchoolStage
from shared.db import Database
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.education.support import (
    COUNTY,
    GUARANTEE,
    child,
    family,
    files,
    gaps,
    history,
    met,
    receive,
    rows,
    told,
    with_members,
)

NOT, JUNIOR = SchoolStage.NOT_AT_SCHOOL, SchoolStage.JUNIOR


async def enrol(client: httpx.AsyncClient, person: Any, **changes: Any) -> httpx.Response:
    report = {"stage": "primary", "from": clock.today().isoformat()} | changes
    return await client.post(f"/v1/students/{person}/enrolments", json=report)


async def test_files_are_listed_by_what_is_asked(
    worker: Database, client: httpx.AsyncClient
) -> None:
    here = family(child(), child(JUNIOR, age=13), child(SchoolStage.PRESCHOOL, age=4))
    there = family(child(), division_code="331124101201")
    await receive(worker, here, there)
    asked: list[tuple[dict[str, Any], int]] = [
        ({}, 4),
        ({"division": "331124101"}, 1),
        ({"division": "331100"}, 4),
        ({"stage": "primary"}, 2),
        ({"state": "left"}, 0),
        ({"household": str(here.household_id)}, 3),
    ]
    for question, count in asked:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await client.get("/v1/students", params=question | cursor | {"limit": 2})
            found += [item["person_id"] for item in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                break
            cursor = {"cursor": answer.json()["next_cursor"]}
        assert len(found) == len(set(found)) == count, question
    looked = await rows(worker, "SELECT 1 FROM audit_log WHERE action = 'students.read'")
    assert len(looked) == 4 + 1 + 4 + 2 + 3


async def test_the_figures_of_a_division(worker: Database, client: httpx.AsyncClient) -> None:
    gone = child(age=17)
    state = family(child(), child(), child(JUNIOR, age=13), child(NOT), child(None), gone)
    await receive(worker, state)
    without = [each for each in state.members if each is not gone]
    await receive(worker, with_members(state, *without), version=2)
    answer = await client.get("/v1/students/summary", params={"division": COUNTY})
    assert answer.json() == {
        "division": COUNTY,
        "by_stage": {"primary": 2, "junior": 1},
        "enrolled": 3,
        "left": 1,
        "out_of_school": 1,
        "tasks": 1,
    }


async def test_one_file_with_its_history(worker: Database, client: httpx.AsyncClient) -> None:
    pupil = child()
    state = family(pupil)
    await receive(worker, state)
    answer = (await client.get(f"/v1/students/{pupil.person_id}")).json()
    assert answer["history"] == [
        {"from": "2026-03-10", "household_id": str(state.household_id), "stage": "primary"}
    ]
    assert (answer["aid"], answer["cases"]) == ([], [])
    missing = await client.get(f"/v1/students/{new_id()}")
    assert (missing.status_code, missing.json()["code"]) == (404, "student_unknown")


async def test_tasks_are_what_has_to_be_found_out(
    worker: Database, client: httpx.AsyncClient
) -> None:
    fifteen, younger, late = (
        child(NOT, age=15),
        child(None, age=9),
        child(SchoolStage.PRESCHOOL, age=8),
    )
    await receive(worker, family(fifteen, younger, late, child(), child(NOT)))
    answer = await client.get("/v1/school-tasks", params={"division": COUNTY, "limit": 2})
    rest = await client.get("/v1/school-tasks", params={"cursor": answer.json()["next_cursor"]})
    items = answer.json()["items"] + rest.json()["items"]
    assert {item["person_id"]: (item["task"], item["reason"]) for item in items} == {
        str(fifteen.person_id): ("find_out", "completion_unknown"),
        str(younger.person_id): ("find_out", "stage_unknown"),
        str(late.person_id): ("find_out", "still_at_preschool"),
    }


async def test_an_enrolment_answers_a_task_and_opens_the_file(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child(NOT, age=15)
    state = family(pupil)
    await receive(worker, state)
    began = clock.today() - timedelta(days=20)
    answer = await enrol(
        client, pupil.person_id, stage="vocational", school_code="33A1", **{"from": str(began)}
    )
    assert answer.status_code == 201
    said = answer.json()
    assert (said["stage"], said["from"], said["school_code"], said["closed_case_id"]) == (
        "vocational",
        str(began),
        "33A1",
        None,
    )
    row = (await files(worker))[pupil.person_id]
    assert (row["stage"], row["state"], row["school_code"]) == ("vocational", "enrolled", "33A1")
    assert await history(worker, pupil.person_id) == [(began, "vocational")]
    assert await gaps(worker) == {}


async def test_an_enrolment_counts_until_the_registry_says_something_new(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child(NOT)
    state = family(pupil)
    await receive(worker, state)
    await enrol(client, pupil.person_id)
    assert await met(worker, state.household_id) is True
    richer = state.model_copy(update={"house_grade": HouseGrade.C})
    await receive(worker, richer, version=2)
    assert (await files(worker))[pupil.person_id]["state"] == "enrolled", "no new word about him"
    promoted = pupil.model_copy(update={"school_stage": JUNIOR})
    await receive(worker, with_members(state, state.members[0], promoted), version=3)
    assert (await files(worker))[pupil.person_id]["stage"] == "junior"
    await receive(worker, with_members(state, state.members[0], pupil), version=4)
    assert (await files(worker))[pupil.person_id]["state"] == "left"
    assert await met(worker, state.household_id) is False


async def test_an_enrolment_s_guarantee_leaves_in_its_own_transaction(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child(NOT)
    await receive(worker, family(pupil))
    await enrol(client, pupil.person_id)
    assert [event["data"]["met"] for event in await told(worker, GUARANTEE)] == [False, True]
    (line,) = await rows(worker, "SELECT * FROM audit_log WHERE action = 'enrolment.reported'")
    assert (line["subject_id"], line["officer_id"]) == (str(pupil.person_id), "o1")


async def test_a_newer_enrolment_takes_the_older_one_s_place(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child(NOT)
    await receive(worker, family(pupil))
    for stage in ("primary", "junior"):
        await enrol(client, pupil.person_id, stage=stage)
    live = "SELECT stage FROM school_statements WHERE superseded_at IS NULL"
    assert await rows(worker, live) == [{"stage": "junior"}]
    assert (await files(worker))[pupil.person_id]["stage"] == "junior"


async def test_two_enrolments_at_once_leave_one_live(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child(NOT)
    await receive(worker, family(pupil))
    answers = await asyncio.gather(*(enrol(client, pupil.person_id) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    live = "SELECT 1 FROM school_statements WHERE superseded_at IS NULL"
    assert len(await rows(worker, live)) == 1
    assert len(await rows(worker, "SELECT 1 FROM school_statements")) == 4


async def test_a_person_of_another_county_is_not_found(
    worker: Database, client: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    pupil = child(NOT)
    await receive(worker, family(pupil))
    for asking, person in ((neighbour, pupil.person_id), (client, new_id())):
        answer = await enrol(asking, person)
        assert (answer.status_code, answer.json()["code"]) == (404, "person_unknown")
    assert await rows(worker, "SELECT 1 FROM school_statements") == []


async def test_one_who_moved_to_another_county_is_not_found_in_the_old_one(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child(NOT)
    old = family(pupil)
    new = family(pupil, division_code="331102001001")
    await receive(worker, old, new)
    await receive(worker, with_members(old, old.members[0]), version=2)
    answer = await enrol(client, pupil.person_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "person_unknown")


async def test_a_malformed_report_is_refused(client: httpx.AsyncClient) -> None:
    for changes in (
        {"stage": "not_at_school"},
        {"stage": "kindergarten"},
        {"from": "2026-02-30"},
        {"school_code": "松阳一中"},
        {"school_code": ""},
        {"name": "x"},
    ):
        answer = await enrol(client, new_id(), **changes)
        assert answer.status_code in {400, 422}, changes
        assert answer.json()["errors"], changes


async def test_an_enrolment_from_tomorrow_or_before_birth_is_refused(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child(NOT, birth_date=date(2016, 1, 1))
    await receive(worker, family(pupil))
    for day in (clock.today() + timedelta(days=1), date(2015, 12, 31)):
        answer = await enrol(client, pupil.person_id, **{"from": str(day)})
        assert (answer.status_code, answer.json()["code"]) == (422, "from_impossible")
    for day in (clock.today(), date(2016, 1, 1)):
        assert (await enrol(client, pupil.person_id, **{"from": str(day)})).status_code == 201


async def test_every_route_needs_its_scope(education: ServiceDatabase, client_of: ClientOf) -> None:
    other = await client_of("education", education, scopes="education.aid:read")
    for path in ("students", "students/summary", f"students/{new_id()}", "school-tasks"):
        answer = await other.get(f"/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path
    reader = await client_of("education", education, scopes="education.students:read")
    assert (await enrol(reader, new_id())).status_code == 403


async def test_a_finished_junior_school_is_no_task(
    worker: Database, client: httpx.AsyncClient
) -> None:
    await receive(worker, family(child(NOT, age=15, education=Education.JUNIOR)))
    assert (await client.get("/v1/school-tasks")).json()["items"] == []
