"""Everything that is refused between the application and the payment of a renovation."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from shared import clock
from shared.contracts.registry import State
from shared.db import Database
from shared.identity import new_id
from tests.housing.conftest import Renovated
from tests.housing.support import (
    ASKED,
    apply_for,
    dweller,
    file_of,
    published,
    receive,
    record,
    rows,
    standing,
)

pytestmark = pytest.mark.usefixtures("values")


async def test_method_against_grade(client: httpx.AsyncClient, worker: Database) -> None:
    for grade, method, status in (
        ("C", "repair", 201),
        ("C", "rebuild", 422),
        ("C", "relocate", 422),
        ("D", "repair", 422),
        ("D", "rebuild", 201),
        ("D", "relocate", 201),
    ):
        state = dweller(grade)
        await receive(worker, state)
        answer = await apply_for(client, await file_of(worker, state.household_id), method)
        assert answer.status_code == status, answer.text
        if status == 422:
            assert answer.json()["code"] == "method_not_for_grade"


async def test_all_that_is_wrong_with_an_application_is_listed(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = standing(dweller("C"), State.LIFTED, date(2026, 5, 1))
    await receive(worker, dweller("C", household_id=state.household_id))
    await receive(worker, state, version=2)
    file_id = await file_of(worker, state.household_id)
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    answer = await apply_for(client, file_id, "rebuild", applied_on=tomorrow)
    assert answer.status_code == 422
    assert [fault["code"] for fault in answer.json()["errors"]] == [
        "date_in_future",
        "method_not_for_grade",
        "not_on_assistance",
    ]
    assert await rows(worker, "SELECT 1 FROM renovations") == []


async def test_a_missing_parameter_refuses_the_acceptance_and_names_itself(
    client: httpx.AsyncClient, worker: Database, renovated: Renovated
) -> None:
    renovation = await renovated("completed")
    for key in ("house.base.rebuild.d", "house.factor.region"):
        await rows(worker, "UPDATE policy_parameters SET valid_from = '2027-01-01' WHERE key = :key"
                   " RETURNING key", key=key)  # fmt: skip
    answer = await record(client, renovation, "accepted")
    assert (answer.status_code, answer.json()["code"]) == (422, "parameter_missing")
    assert "house.base.rebuild.d" in answer.json()["detail"]
    assert [fault["where"] for fault in answer.json()["errors"]] == [
        "house.base.rebuild.d",
        "house.factor.region",
    ]
    shown = (await client.get(f"/v1/renovations/{renovation['renovation_id']}")).json()
    assert (shown["stage"], shown["amount"]) == ("completed", None)
    assert await published(worker, "household.assisted") == []


async def test_a_skip_and_a_step_back_are_refused_naming_what_is_due(
    client: httpx.AsyncClient, renovated: Renovated
) -> None:
    renovation = await renovated("planned")
    for stage in ("applied", "appraised", "planned", "started", "accepted", "paid", "cancelled"):
        answer = await record(client, renovation, stage)
        assert (answer.status_code, answer.json()["code"]) == (409, "stage_not_due"), stage
        assert "agreed" in answer.json()["detail"]
    done = await record(client, renovation, "agreed")
    assert done.status_code == 200
    stale = await record(client, renovation, "started")
    assert (stale.status_code, stale.json()["code"]) == (412, "revision_moved")


@pytest.mark.parametrize(
    ("stage", "changes", "codes"),
    [
        ("appraised", {"appraised_grade": "C"}, ["method_not_for_grade"]),
        ("appraised", {"appraised_grade": None}, ["missing_for_stage"]),
        ("appraised", {"done_on": "2026-05-05"}, ["date_before_last_stage"]),
        ("appraised", {"done_on": "2999-01-01"}, ["date_in_future"]),
        ("planned", {"plan_year": None, "contractor": "x"},
         ["not_of_this_stage", "missing_for_stage"]),
        ("completed", {"actual_cost": None}, ["missing_for_stage"]),
        ("accepted", {"parties": ["household", "village", "township"]}, ["party_missing"]),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_stage_is_listed_and_nothing_written(
    client: httpx.AsyncClient,
    renovated: Renovated,
    stage: str,
    changes: dict[str, Any],
    codes: list[str],
) -> None:
    before = ["applied", *ASKED][list(ASKED).index(stage)]
    renovation = await renovated(before)
    answer = await record(client, renovation, stage, **changes)
    assert answer.status_code == 422, answer.text
    assert [fault["code"] for fault in answer.json()["errors"]] == codes
    shown = (await client.get(f"/v1/renovations/{renovation['renovation_id']}")).json()
    assert (shown["stage"], shown["revision"]) == (before, renovation["revision"])


async def test_malformed_stages_are_no_server_errors(
    client: httpx.AsyncClient, renovated: Renovated
) -> None:
    renovation = await renovated("checked")
    for changes in (
        {"actual_cost": "0"},
        {"actual_cost": "-1"},
        {"actual_cost": "1.005"},
        {"actual_cost": "NaN"},
        {"actual_cost": "10000000000000"},
        {"done_on": "yesterday"},
        {"parties": ["mayor"]},
        {"plan_year": 99999},
        {"surprise": 1},
    ):
        answer = await record(client, renovation, "completed", **changes)
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid"), changes
    unknown = await record(client, renovation, "demolished")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "request_invalid")


async def test_a_stage_needs_if_match_and_says_the_next_etag(
    client: httpx.AsyncClient, renovated: Renovated
) -> None:
    renovation = await renovated()
    path = f"/v1/renovations/{renovation['renovation_id']}"
    bare = {"stage": "appraised", "done_on": "2026-05-06", "appraised_grade": "D"}
    answer = await client.post(f"{path}/stages", json=bare)
    assert (answer.status_code, answer.json()["code"]) == (428, "if_match_missing")
    etag = (await client.get(path)).headers["ETag"]
    done = await client.post(f"{path}/stages", json=bare, headers={"If-Match": etag})
    assert (done.status_code, done.headers["ETag"]) == (200, '"2"')


async def test_who_accepted_cannot_pay(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, renovated: Renovated
) -> None:
    renovation = await renovated("accepted")
    pay = f"/v1/renovations/{renovation['renovation_id']}/pay"
    answer = await client.post(pay, json={"paid_on": "2026-06-01"})
    assert (answer.status_code, answer.json()["code"]) == (409, "same_officer")
    for day, code in (
        ("2026-05-05", "date_before_last_stage"),
        ("2999-01-01", "date_in_future"),
    ):
        wrong = await colleague.post(pay, json={"paid_on": day})
        assert (wrong.status_code, wrong.json()["code"]) == (422, code)
    assert (await colleague.post(pay, json={"paid_on": "2026-05-06"})).status_code == 200
    again = await colleague.post(pay, json={"paid_on": "2026-05-06"})
    assert (again.status_code, again.json()["code"]) == (409, "stage_not_due")


async def test_payment_has_its_own_scope_and_its_own_route(
    housing: Any, client_of: Any, client: httpx.AsyncClient, renovated: Renovated
) -> None:
    renovation = await renovated("completed")
    pay = f"/v1/renovations/{renovation['renovation_id']}/pay"
    early = await client.post(pay, json={"paid_on": "2026-06-01"})
    assert (early.status_code, early.json()["code"]) == (409, "stage_not_due")
    assert "accepted" in early.json()["detail"]
    accepted = (await record(client, renovation, "accepted")).json()
    aside = await record(client, accepted, "paid")
    assert (aside.status_code, aside.json()["code"]) == (422, "paid_elsewhere")
    clerk = await client_of(
        "housing", housing, scopes="housing.renovations:write", officer="o2", divisions=("331124",)
    )
    assert (await clerk.post(pay, json={"paid_on": "2026-06-01"})).status_code == 403


async def test_an_acceptance_must_be_signed_by_a_person(
    housing: Any, client_of: Any, renovated: Renovated
) -> None:
    renovation = await renovated("completed")
    scopes = "housing.renovations:write housing.renovations:pay"
    system = await client_of("housing", housing, scopes=scopes, officer=None, divisions=("331124",))
    answer = await record(system, renovation, "accepted")
    assert (answer.status_code, answer.json()["code"]) == (403, "officer_unknown")


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    unknown = {"renovation_id": new_id(), "revision": 1}
    path = f"/v1/renovations/{unknown['renovation_id']}"
    assert (await client.get(path)).json()["code"] == "renovation_unknown"
    assert (await record(client, unknown, "appraised")).status_code == 404
    assert (await client.post(f"{path}/pay", json={"paid_on": "2026-06-01"})).status_code == 404
    assert (await client.post(f"{path}/cancel", json={"reason": "x"})).status_code == 404
    assert (await apply_for(client, new_id())).json()["code"] == "house_file_unknown"
