"""Cases on the real API: opened once, red at once, closed with proof, and what counts then."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.contracts.registry import Education, HouseholdState, SchoolStage, State
from shared.db import Database
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.education.support import (
    GUARANTEE,
    HARDSHIP,
    STEPS,
    child,
    family,
    files,
    guarantee_of,
    in_state,
    met,
    receive,
    rows,
    set_value,
    told,
    with_members,
)

NOT, JUNIOR = SchoolStage.NOT_AT_SCHOOL, SchoolStage.JUNIOR
PROOFS = (
    "back_at_school",
    "enrolled_elsewhere",
    "abroad",
    "long_illness",
    "special_school",
    "home_teaching",
    "dead",
)


def ago(days: int) -> str:
    return (clock.today() - timedelta(days=days)).isoformat()


async def report(client: httpx.AsyncClient, person: Any, **changes: Any) -> httpx.Response:
    body = {
        "person_id": str(person),
        "absent_since": ago(10),
        "reported_by": "school",
        "kind": "absent",
    }
    return await client.post("/v1/dropouts", json=body | changes)


async def close(client: httpx.AsyncClient, case_id: str, **changes: Any) -> httpx.Response:
    body = {"outcome": "back_at_school", "proof": "松教〔2026〕7号", "closed_on": ago(0)}
    return await client.post(f"/v1/dropouts/{case_id}/close", json=body | changes)


async def test_a_report_opens_the_case_and_turns_the_guarantee_red(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child(JUNIOR, age=13)
    state = family(pupil)
    await receive(worker, state)
    answer = await report(client, pupil.person_id)
    assert answer.status_code == 201
    case = answer.json()
    assert answer.headers["Location"] == f"/v1/dropouts/{case['case_id']}"
    assert (case["household_id"], case["opened_by"], case["days_absent"]) == (
        str(state.household_id),
        "o1",
        10,
    )
    assert await guarantee_of(worker, state.household_id) == (
        False,
        f"dropout:{case['case_id']}",
        2,
    )
    (hardship,) = await told(worker, HARDSHIP)
    assert (hardship["subject"], hardship["version"]) == (case["case_id"], 1)
    assert hardship["data"] == {
        "hardship_id": case["case_id"],
        "household_id": str(state.household_id),
        "kind": "dropout",
        "detected_on": clock.today().isoformat(),
        "amount": None,
    }
    shown = (await client.get(f"/v1/students/{pupil.person_id}")).json()
    assert [each["case_id"] for each in shown["cases"]] == [case["case_id"]]


async def test_the_step_that_is_due_stands_in_the_case(
    worker: Database, client: httpx.AsyncClient
) -> None:
    for key, value in STEPS.items():
        await set_value(worker, key, value)
    pupil = child()
    await receive(worker, family(pupil))
    case = (await report(client, pupil.person_id)).json()
    assert case["due"] == {"step": "visit", "since": ago(3)}
    assert case["parameters_missing"] == []


async def test_a_step_without_parameter_is_said_to_be_missing(
    worker: Database, client: httpx.AsyncClient
) -> None:
    await set_value(worker, "edu.dropout.call_days", "3")
    pupil = child()
    await receive(worker, family(pupil))
    case = (await report(client, pupil.person_id)).json()
    assert case["due"] == {"step": "call", "since": ago(7)}
    assert case["parameters_missing"] == [key for key in STEPS if "call" not in key]


async def test_nobody_outside_the_age_has_a_case(
    worker: Database, client: httpx.AsyncClient
) -> None:
    people = {
        "too_young": child(age=4),
        "sixteen_or_over": child(age=16),
        "junior_completed": child(NOT, age=15, education=Education.JUNIOR),
    }
    await receive(worker, family(*people.values()))
    for reason, pupil in people.items():
        answer = await report(client, pupil.person_id)
        assert (answer.status_code, answer.json()["code"]) == (422, "not_of_compulsory_age")
        assert [fault["code"] for fault in answer.json()["errors"]] == [reason]
    assert await told(worker, HARDSHIP) == []


async def test_impossible_days_and_unknown_people_are_refused(
    worker: Database, client: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    pupil = child()
    await receive(worker, family(pupil))
    answer = await report(client, pupil.person_id, absent_since=ago(-1))
    assert (answer.status_code, answer.json()["code"]) == (422, "absent_since_in_future")
    for asking, person in ((client, new_id()), (neighbour, pupil.person_id)):
        answer = await report(asking, person)
        assert (answer.status_code, answer.json()["code"]) == (404, "person_unknown")
    answer = await report(client, pupil.person_id, kind="lost", reported_by="nobody")
    assert len(answer.json()["errors"]) == 2, "every fault is listed"


async def test_one_open_case_a_child_also_when_two_report_at_once(
    worker: Database, client: httpx.AsyncClient, colleague: httpx.AsyncClient
) -> None:
    pupil = child()
    state = family(pupil)
    await receive(worker, state)
    answers = await asyncio.gather(
        *(report(each, pupil.person_id) for each in (client, colleague, client, colleague))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert refused == {"dropout_open"}
    assert len(await told(worker, HARDSHIP)) == 1
    (given,) = await rows(worker, "SELECT version FROM guarantees_given")
    assert given["version"] == 2


async def test_a_lifted_household_s_child_is_reported_too(
    worker: Database, client: httpx.AsyncClient
) -> None:
    """The sign that opens a return check (C7)."""
    pupil = child()
    state = family(pupil)
    await receive(worker, state)
    await receive(worker, in_state(state, State.LIFTED, clock.today()), version=2)
    assert (await report(client, pupil.person_id)).status_code == 201
    assert len(await told(worker, HARDSHIP)) == 1


async def test_a_proved_outcome_turns_the_guarantee_green_until_the_registry_s_next_word(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupils = {outcome: child(NOT, age=13) for outcome in PROOFS}
    states = {outcome: family(pupil) for outcome, pupil in pupils.items()}
    await receive(worker, *states.values())
    for outcome, pupil in pupils.items():
        case_id = (await report(client, pupil.person_id)).json()["case_id"]
        refused = await close(client, case_id, outcome=outcome, proof=None)
        assert (refused.status_code, refused.json()["code"]) == (422, "proof_missing")
        answer = await close(client, case_id, outcome=outcome)
        assert answer.status_code == 200, answer.text
        closed = answer.json()
        assert (closed["outcome"], closed["proof_kind"], closed["closed_by"], closed["due"]) == (
            outcome,
            "document",
            "o1",
            None,
        )
    assert await _all_met(worker, *states.values()) == {True}
    await receive(worker, *states.values(), version=2)
    assert await _all_met(worker, *states.values()) == {True}, "no new word about the children"
    for version, stage in ((3, JUNIOR), (4, NOT)):
        newer = [
            with_members(
                state,
                state.members[0],
                pupils[outcome].model_copy(update={"school_stage": stage}),
            )
            for outcome, state in states.items()
        ]
        await receive(worker, *newer, version=version)
    assert await _all_met(worker, *states.values()) == {False}


async def _all_met(worker: Database, *states: HouseholdState) -> set[bool]:
    found = [await guarantee_of(worker, state.household_id) for state in states]
    return {each[0] for each in found if each is not None}


async def test_an_error_needs_no_proof_and_excuses_nobody(
    worker: Database, client: httpx.AsyncClient
) -> None:
    at_school, out = child(), child(NOT)
    green, red = family(at_school), family(out)
    await receive(worker, green, red)
    for pupil in (at_school, out):
        case_id = (await report(client, pupil.person_id)).json()["case_id"]
        answer = await close(client, case_id, outcome="reported_in_error", proof=None)
        assert answer.status_code == 200
    assert await met(worker, green.household_id) is True
    assert await met(worker, red.household_id) is False


async def test_the_file_of_a_child_who_is_gone_is_closed(
    worker: Database, client: httpx.AsyncClient
) -> None:
    outcomes = ("dead", "abroad", "long_illness")
    pupils = [child() for _ in outcomes]
    await receive(worker, family(*pupils))
    for pupil, outcome in zip(pupils, outcomes, strict=True):
        case_id = (await report(client, pupil.person_id)).json()["case_id"]
        await close(client, case_id, outcome=outcome)
    filed = await files(worker)
    states = [filed[pupil.person_id]["state"] for pupil in pupils]
    assert states == ["left", "left", "enrolled"]


async def test_closing_lists_every_fault_and_happens_once(
    worker: Database, client: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    pupil = child()
    await receive(worker, family(pupil))
    case_id = (await report(client, pupil.person_id)).json()["case_id"]
    answer = await close(client, case_id, outcome="abroad", proof=None, closed_on=ago(-1))
    assert [fault["code"] for fault in answer.json()["errors"]] == [
        "proof_missing",
        "closed_on_impossible",
    ]
    assert (await close(client, case_id, proof="  ")).status_code in {400, 422}
    assert (await close(neighbour, case_id)).status_code == 404
    assert (await close(client, str(new_id()))).json()["code"] == "dropout_unknown"
    answers = await asyncio.gather(*(close(client, case_id) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    again = await close(client, case_id)
    assert (again.status_code, again.json()["code"]) == (409, "dropout_closed")
    assert (await report(client, pupil.person_id)).status_code == 201, "a new case may follow"
    lines = await rows(worker, "SELECT action FROM audit_log WHERE action LIKE 'dropout.%ed'")
    assert sorted(line["action"] for line in lines) == [
        "dropout.closed",
        "dropout.opened",
        "dropout.opened",
    ]


async def test_an_enrolment_closes_the_case_unless_it_is_older_than_the_absence(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child(NOT)
    state = family(pupil)
    await receive(worker, state)
    case_id = (await report(client, pupil.person_id)).json()["case_id"]
    path = f"/v1/students/{pupil.person_id}/enrolments"
    older = await client.post(path, json={"stage": "primary", "from": ago(11)})
    assert older.json()["closed_case_id"] is None
    assert await met(worker, state.household_id) is False
    newer = await client.post(path, json={"stage": "primary", "from": ago(10)})
    assert newer.json()["closed_case_id"] == case_id
    case = (await client.get(f"/v1/dropouts/{case_id}")).json()
    assert (case["outcome"], case["proof_kind"], case["proof"], case["closed_on"]) == (
        "back_at_school",
        "enrolment",
        newer.json()["enrolment_id"],
        ago(10),
    )
    assert await met(worker, state.household_id) is True


async def test_a_case_goes_with_its_child_to_another_household(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupil = child()
    old, new = family(pupil), family(pupil)
    await receive(worker, old)
    case_id = (await report(client, pupil.person_id)).json()["case_id"]
    await receive(worker, with_members(old, old.members[0]), version=2)
    await receive(worker, new)
    case = (await client.get(f"/v1/dropouts/{case_id}")).json()
    assert case["household_id"] == str(new.household_id)
    assert await met(worker, old.household_id) is True
    assert await met(worker, new.household_id) is False


async def test_cases_are_listed_by_division_and_openness(
    worker: Database, client: httpx.AsyncClient
) -> None:
    pupils = [child() for _ in range(3)]
    await receive(worker, family(*pupils[:2]), family(pupils[2], division_code="331124101201"))
    ids = [(await report(client, each.person_id)).json()["case_id"] for each in pupils]
    await close(client, ids[0])
    asked: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ids),
        ({"open": "true"}, ids[1:]),
        ({"open": "false"}, ids[:1]),
        ({"division": "331124101"}, ids[2:]),
    ]
    for question, wanted in asked:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = await client.get("/v1/dropouts", params=question | cursor | {"limit": 1})
            found += [item["case_id"] for item in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                break
            cursor = {"cursor": answer.json()["next_cursor"]}
        assert found == wanted, question


async def test_every_route_needs_its_scope(education: ServiceDatabase, client_of: ClientOf) -> None:
    reader = await client_of("education", education, scopes="education.dropout:read")
    assert (await report(reader, new_id())).json()["code"] == "scope_missing"
    assert (await close(reader, str(new_id()))).json()["code"] == "scope_missing"
    other = await client_of("education", education, scopes="education.students:read")
    for path in ("dropouts", f"dropouts/{new_id()}"):
        assert (await other.get(f"/v1/{path}")).status_code == 403


async def test_a_report_and_a_new_version_at_once_end_red(
    worker: Database, client: httpx.AsyncClient
) -> None:
    """Whichever is last has seen the other: an open case is never overwritten with green."""
    pupils = [child() for _ in range(8)]
    states = [family(each) for each in pupils]
    await receive(worker, *states)
    await asyncio.gather(
        *(report(client, each.person_id) for each in pupils),
        receive(worker, *states, version=2),
        receive(worker, *reversed(states), version=3),
    )
    met = [await guarantee_of(worker, state.household_id) for state in states]
    assert [each and each[0] for each in met] == [False] * 8
    assert len(await told(worker, GUARANTEE)) == 16
