"""Assessments by two officers and reported changes, as they are entered, confirmed and listed."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from services.relief.tekun import actions, assessing
from services.relief.tekun.selfcare import Entry
from shared.auth import Caller
from shared.contracts.registry import HouseholdState, Relation, State
from shared.db import Database
from shared.errors import Conflict
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.relief.support import (
    COUNTY,
    SCOPES,
    blocked,
    lifted,
    receive,
    rows,
)
from tests.relief.tekun.support import (
    TODAY,
    assessment,
    changes_of,
    confirmed,
    entered,
    person_of,
    report,
    tekun_household,
)
from tests.support.builders import household, member
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("known")
TOMORROW = TODAY + timedelta(days=1)
FIRST = Caller(sub="first", officer_id="o1", divisions=(COUNTY,))
SECOND = Caller(sub="second", officer_id="o2", divisions=(COUNTY,))


@pytest.mark.parametrize(
    ("failed", "level"), [(0, "able"), (1, "partly"), (3, "partly"), (4, "lost"), (6, "lost")]
)
async def test_an_assessment_is_entered_and_waits(
    client: httpx.AsyncClient, worker: Database, state: HouseholdState, failed: int, level: str
) -> None:
    found = await entered(client, state, failed=failed)
    assert (found["level"], len(found["failed"])) == (level, failed)
    assert (found["assessor"], found["confirmed_by"]) == ("o1", None)
    assert await rows(worker, "SELECT 1 FROM jobs") == [], "it counts for nothing yet"
    (waiting,) = (await client.get("/v1/tekun-assessments/waiting")).json()["items"]
    assert waiting == found
    (line,) = await rows(
        worker, "SELECT * FROM audit_log WHERE action = 'tekun_assessment.entered'"
    )
    assert (line["subject_id"], line["officer_id"]) == (str(state.household_id), "o1")


async def test_the_second_officer_confirms_and_the_household_is_to_be_settled(
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    worker: Database,
    state: HouseholdState,
) -> None:
    found = await confirmed(client, colleague, state)
    assert (found["confirmed_by"], found["confirmed_on"]) == ("o2", TODAY.isoformat())
    (job,) = await rows(worker, "SELECT kind, arguments FROM jobs")
    assert job == {
        "kind": actions.SETTLE,
        "arguments": {"household_id": str(state.household_id)},
    }
    again = await colleague.post(f"/v1/tekun-assessments/{found['assessment_id']}/confirm")
    assert (again.status_code, again.json()) == (200, found)
    assert len(await rows(worker, "SELECT 1 FROM jobs")) == 1
    assert (await client.get("/v1/tekun-assessments/waiting")).json()["items"] == []


async def test_who_assessed_does_not_confirm(
    client: httpx.AsyncClient, worker: Database, state: HouseholdState
) -> None:
    found = await entered(client, state)
    answer = await client.post(f"/v1/tekun-assessments/{found['assessment_id']}/confirm")
    assert (answer.status_code, answer.json()["code"]) == (409, "same_officer")
    assert await rows(worker, "SELECT 1 FROM jobs") == []


async def test_a_third_officer_finds_it_confirmed(
    relief: ServiceDatabase,
    client_of: ClientOf,
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    state: HouseholdState,
) -> None:
    found = await confirmed(client, colleague, state)
    third = await client_of("relief", relief, scopes=SCOPES, officer="o3", divisions=(COUNTY,))
    answer = await third.post(f"/v1/tekun-assessments/{found['assessment_id']}/confirm")
    assert (answer.status_code, answer.json()["code"]) == (409, "assessment_confirmed")


async def test_a_later_entry_withdraws_the_one_that_waits_and_history_is_kept(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, state: HouseholdState
) -> None:
    first = await entered(client, state, failed=1)
    second = await entered(client, state, failed=5)
    answer = await colleague.post(f"/v1/tekun-assessments/{first['assessment_id']}/confirm")
    assert (answer.status_code, answer.json()["code"]) == (409, "assessment_withdrawn")
    path = f"/v1/households/{state.household_id}/tekun-assessments"
    listed = (await client.get(path)).json()
    assert [(each["assessment_id"], each["withdrawn_at"] is None) for each in listed] == [
        (first["assessment_id"], False),
        (second["assessment_id"], True),
    ]


async def test_every_fault_is_listed(
    client: httpx.AsyncClient, worker: Database, state: HouseholdState
) -> None:
    wrong: dict[str, Any] = {
        "person_id": str(new_id()),
        "assessed_on": TOMORROW.isoformat(),
        "document_number": None,
    }
    path = f"/v1/households/{state.household_id}/tekun-assessments"
    answer = await client.post(path, json=assessment(state, **wrong))
    assert (answer.status_code, answer.json()["code"]) == (422, "person_not_member")
    assert [error["code"] for error in answer.json()["errors"]] == [
        "person_not_member",
        "in_future",
        "evidence_missing",
    ]
    assert await rows(worker, "SELECT 1 FROM tekun_assessments") == []


async def test_only_people_of_tekun_households_are_assessed(
    client: httpx.AsyncClient, worker: Database
) -> None:
    others = [
        household(),
        lifted(tekun_household(), TODAY),
        tekun_household(state=State.CLOSED),
    ]
    await receive(worker, *others)
    for other in others:
        path = f"/v1/households/{other.household_id}/tekun-assessments"
        answer = await client.post(path, json=assessment(other))
        assert (answer.status_code, answer.json()["code"]) == (422, "household_not_tekun")
        answer = await client.post(changes_of(other), json=report(other))
        assert (answer.status_code, answer.json()["code"]) == (422, "household_not_tekun")


async def test_who_does_not_count_is_not_assessed(
    client: httpx.AsyncClient, worker: Database
) -> None:
    prisoner = member(Relation.SIBLING, counted=False)
    state = tekun_household(members=[member(), prisoner], n=1)
    await receive(worker, state)
    path = f"/v1/households/{state.household_id}/tekun-assessments"
    given = assessment(state, person_id=str(prisoner.person_id))
    answer = await client.post(path, json=given)
    assert (answer.status_code, answer.json()["code"]) == (422, "person_not_member")


@pytest.mark.parametrize(
    "changes",
    [
        {"items": {"eat": "able"}},
        {"items": dict.fromkeys(("eat", "dress", "bed", "toilet", "walk"), "able")},
        {"assessed_on": "2026-13-01"},
        {"document_number": ""},
        {"document_number": "x" * 201},
        {"level": "able"},
        {"person_id": "x"},
    ],
)
async def test_a_malformed_assessment_is_refused(
    client: httpx.AsyncClient, state: HouseholdState, changes: dict[str, Any]
) -> None:
    path = f"/v1/households/{state.household_id}/tekun-assessments"
    answer = await client.post(path, json=assessment(state, **changes))
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_what_is_not_there_is_a_404(client: httpx.AsyncClient, state: HouseholdState) -> None:
    nobody = new_id()
    for path, body, code in (
        (f"/v1/households/{nobody}/tekun-assessments", assessment(state), "household_unknown"),
        (f"/v1/households/{nobody}/tekun-changes", report(state), "household_unknown"),
        (f"/v1/tekun-assessments/{nobody}/confirm", None, "assessment_unknown"),
    ):
        answer = await client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_another_county_sees_and_signs_nothing(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient, state: HouseholdState
) -> None:
    found = await entered(client, state)
    home = f"/v1/households/{state.household_id}"
    for path, body in (
        (f"{home}/tekun-assessments", assessment(state)),
        (f"{home}/tekun-changes", report(state)),
        (f"/v1/tekun-assessments/{found['assessment_id']}/confirm", None),
    ):
        assert (await neighbour.post(path, json=body)).status_code == 404, path
    assert (await neighbour.get(f"{home}/tekun-assessments")).status_code == 404


async def _enter(database: Database, caller: Caller, state: HouseholdState) -> Any:
    async with database.transaction(divisions=caller.divisions) as session:
        entry = Entry(
            person_id=person_of(state).person_id,
            assessed_on=TODAY,
            failed=(),
            document_number="松民评〔2026〕2号",
        )
        return await assessing.enter(session, caller, state.household_id, entry)


async def test_two_officers_who_enter_at_once_leave_one_that_waits(
    api_role: Database, worker: Database, state: HouseholdState
) -> None:
    async with api_role.transaction(divisions=FIRST.divisions) as session:
        entry = Entry(
            person_id=person_of(state).person_id,
            assessed_on=TODAY,
            failed=(),
            document_number="松民评〔2026〕1号",
        )
        first = await assessing.enter(session, FIRST, state.household_id, entry)
        racing = asyncio.create_task(_enter(api_role, SECOND, state))
        await until(lambda: blocked(worker), what="the second entry to wait for the first")
    second = await racing
    found = await rows(worker, "SELECT assessment_id, withdrawn_at FROM tekun_assessments")
    assert {row["assessment_id"]: row["withdrawn_at"] is None for row in found} == {
        first: False,
        second: True,
    }


async def test_of_two_who_confirm_at_once_one_is_the_second_officer(
    client: httpx.AsyncClient, api_role: Database, worker: Database, state: HouseholdState
) -> None:
    waiting = (await entered(client, state))["assessment_id"]
    third = Caller(sub="third", officer_id="o3", divisions=(COUNTY,))

    async def sign(caller: Caller) -> None:
        async with api_role.transaction(divisions=caller.divisions) as session:
            await assessing.confirm(session, caller, waiting)

    async with api_role.transaction(divisions=SECOND.divisions) as session:
        await assessing.confirm(session, SECOND, waiting)
        racing = asyncio.create_task(sign(third))
        await until(lambda: blocked(worker), what="the third officer to wait for the second")
    with pytest.raises(Conflict, match="another officer"):
        await racing
    (found,) = await rows(worker, "SELECT confirmed_by FROM tekun_assessments")
    assert found["confirmed_by"] == "o2"
    assert len(await rows(worker, "SELECT 1 FROM jobs")) == 1


async def test_the_scopes_are_asked_for(
    relief: ServiceDatabase, client_of: ClientOf, state: HouseholdState
) -> None:
    stranger = await client_of("relief", relief, scopes="relief.dibao:read", divisions=(COUNTY,))
    home = f"/v1/households/{state.household_id}"
    for method, path in (
        ("GET", f"{home}/tekun-assessments"),
        ("GET", f"{home}/tekun-supports"),
        ("GET", f"{home}/tekun-grants"),
        ("GET", "/v1/tekun-assessments/waiting"),
        ("GET", "/v1/tekun-reassessments"),
        ("GET", "/v1/tekun-institutions"),
        ("GET", "/v1/tekun-grants"),
        ("GET", "/v1/tekun-grants/summary"),
        ("GET", f"/v1/tekun-grants/{new_id()}"),
        ("POST", f"{home}/tekun-assessments"),
        ("POST", f"{home}/tekun-changes"),
        ("POST", f"{home}/tekun-supports"),
        ("POST", "/v1/tekun-institutions"),
        ("POST", f"/v1/tekun-institutions/{new_id()}/account"),
        ("POST", f"/v1/tekun-institutions/{new_id()}/confirm"),
        ("POST", f"/v1/tekun-assessments/{new_id()}/confirm"),
    ):
        answer = await stranger.request(method, path, json={} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path
