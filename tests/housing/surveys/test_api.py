"""Dwellings and files as officers ask for them, and households that move out and back."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from shared import clock
from shared.contracts.registry import State
from shared.db import Database
from shared.identity import new_id
from tests.housing.support import (
    COUNTY,
    dweller,
    file_of,
    files,
    is_met,
    published,
    receive,
    regraded,
    rows,
    standing,
)

OTHER_TOWNSHIP = "331124101001"


async def ids(client: httpx.AsyncClient, path: str, key: str) -> list[UUID]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return [UUID(item[key]) for item in answer.json()["items"]]


async def test_dwellings_by_grade_and_those_that_wait_for_a_survey(
    client: httpx.AsyncClient, worker: Database
) -> None:
    unknown, c, b = dweller(None), dweller("C"), dweller("B", division_code=OTHER_TOWNSHIP)
    gone = dweller(None)
    await receive(worker, unknown, c, b, gone)
    await receive(worker, standing(gone, State.CLOSED, clock.today()), version=2)
    for path, expected in (
        ("/v1/dwellings", [unknown, c, b]),
        ("/v1/dwellings?unknown=true", [unknown]),
        ("/v1/dwellings?unknown=false", [c, b]),
        ("/v1/dwellings?grade=C", [c]),
        ("/v1/dwellings?division=331124101", [b]),
        ("/v1/dwellings?division=331100", [unknown, c, b]),
    ):
        assert await ids(client, path, "household_id") == [s.household_id for s in expected], path
    summary = (await client.get(f"/v1/dwellings/summary?division={COUNTY}")).json()
    assert summary == {
        "division": COUNTY,
        "households": 3,
        "grade_a": 0,
        "grade_b": 1,
        "grade_c": 1,
        "grade_d": 0,
        "unknown": 1,
        "vacated": 0,
    }


async def test_a_household_s_dwelling_with_all_its_files(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("C")
    await receive(worker, state)
    await receive(worker, regraded(state, "A"), version=2)
    await receive(worker, regraded(state, "D"), version=3)
    shown = (await client.get(f"/v1/households/{state.household_id}/dwelling")).json()
    assert (shown["grade"], shown["safe"], shown["occupied"]) == ("D", False, True)
    assert [(f["grade"], f["state"]) for f in shown["files"]] == [("C", "closed"), ("D", "open")]
    assert shown["renovations"] == shown["occupancy_history"] == []
    read = await rows(worker, "SELECT subject_id FROM audit_log WHERE action = 'dwellings.read'")
    assert read == [{"subject_id": str(state.household_id)}]


async def test_files_by_grade_and_state_and_in_figures(
    client: httpx.AsyncClient, worker: Database
) -> None:
    c, d, corrected = dweller("C"), dweller("D", division_code=OTHER_TOWNSHIP), dweller("D")
    await receive(worker, c, d, corrected)
    await receive(worker, regraded(corrected, "B"), version=2)
    for path, expected in (
        ("/v1/house-files", [c, d, corrected]),
        ("/v1/house-files?grade=D", [d, corrected]),
        ("/v1/house-files?state=open", [c, d]),
        ("/v1/house-files?state=closed&grade=D", [corrected]),
        ("/v1/house-files?division=331124101", [d]),
    ):
        found = await ids(client, path, "household_id")
        assert sorted(found) == sorted(s.household_id for s in expected), path
    assert (await client.get("/v1/house-files/summary")).json() == {
        "division": None,
        "files": 3,
        "open": 2,
        "closed": 1,
        "grade_c": 1,
        "grade_d": 2,
        "open_c": 1,
        "open_d": 1,
        "renovated": 0,
    }
    file_id = await file_of(worker, c.household_id)
    one = (await client.get(f"/v1/house-files/{file_id}")).json()
    assert (one["household_id"], one["closing_cause"]) == (str(c.household_id), None)


async def test_lists_page_by_cursor(client: httpx.AsyncClient, worker: Database) -> None:
    states = [dweller("D") for _ in range(5)]
    await receive(worker, *states)
    for path, key in (("/v1/dwellings", "household_id"), ("/v1/house-files", "household_id")):
        seen, cursor = [], None
        while True:
            asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            answer = (await client.get(path, params=asked)).json()
            seen += [item[key] for item in answer["items"]]
            cursor = answer["next_cursor"]
            if cursor is None:
                break
        assert sorted(seen) == sorted(str(state.household_id) for state in states), path
        assert len(seen) == 5


async def move(
    client: httpx.AsyncClient, household_id: UUID, *, occupied: bool, days_ago: int = 0
) -> httpx.Response:
    body = {
        "occupied": occupied,
        "from": (clock.today() - timedelta(days=days_ago)).isoformat(),
        "reason": "台风来临前转移至安置点",
    }
    return await client.post(f"/v1/households/{household_id}/dwelling/occupancy", json=body)


async def test_who_moves_out_of_a_d_house_lives_safely_until_moving_back(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("D")
    await receive(worker, state)
    evidence = f"house-file:{await file_of(worker, state.household_id)}"
    out = await move(client, state.household_id, occupied=False, days_ago=3)
    assert (out.status_code, out.json()["safe"]) == (200, True)
    assert out.json()["occupancy_history"][0]["reason"] == "台风来临前转移至安置点"
    assert await is_met(worker, state.household_id) == (True, 2, evidence)
    assert await files(worker, state.household_id) == [("D", "open", None)]
    back = await move(client, state.household_id, occupied=True, days_ago=1)
    assert (back.json()["safe"], len(back.json()["occupancy_history"])) == (False, 2)
    assert await is_met(worker, state.household_id) == (False, 3, evidence)


async def test_said_again_it_changes_nothing(client: httpx.AsyncClient, worker: Database) -> None:
    state = dweller("D")
    await receive(worker, state)
    await move(client, state.household_id, occupied=False, days_ago=3)
    again = await move(client, state.household_id, occupied=False)
    assert (again.status_code, len(again.json()["occupancy_history"])) == (200, 1)
    assert len(await published(worker, "guarantee.changed")) == 2


async def test_two_officers_at_once_record_one_move(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("D")
    await receive(worker, state)
    answers = await asyncio.gather(
        *(move(each, state.household_id, occupied=False) for each in (client, colleague))
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    (row,) = await rows(worker, "SELECT occupancy_history FROM dwellings")
    assert len(row["occupancy_history"]) == 1
    assert len(await published(worker, "guarantee.changed")) == 2


async def test_who_lives_elsewhere_still_does_when_the_registry_reports_again(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("C")
    await receive(worker, state)
    await move(client, state.household_id, occupied=False)
    await receive(worker, regraded(state, "D"), version=2)
    met = await is_met(worker, state.household_id)
    assert met is not None
    assert met[0] is True


async def test_bad_moves_are_refused_and_nothing_is_written(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("D")
    await receive(worker, state)
    path = f"/v1/households/{state.household_id}/dwelling/occupancy"
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"from": "2999-01-01"}, "date_in_future"),
        ({"reason": "  "}, "request_invalid"),
        ({"occupied": None}, "request_invalid"),
        ({"from": "soon"}, "request_invalid"),
        ({"surprise": 1}, "request_invalid"),
    )
    for changes, code in wrong:
        sent = {"occupied": False, "from": "2026-05-01", "reason": "转移"} | changes
        answer = await client.post(path, json=sent)
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert await rows(worker, "SELECT 1 FROM dwellings WHERE NOT occupied") == []


async def test_a_move_before_the_last_one_and_one_of_a_closed_household_are_refused(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = dweller("D")
    await receive(worker, state)
    await move(client, state.household_id, occupied=False, days_ago=3)
    early = await move(client, state.household_id, occupied=True, days_ago=4)
    assert (early.status_code, early.json()["code"]) == (422, "date_before_last_move")
    await receive(worker, standing(state, State.CLOSED, clock.today()), version=2)
    late = await move(client, state.household_id, occupied=True)
    assert (late.status_code, late.json()["code"]) == (409, "household_closed")


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    unknown = new_id()
    for path, code in (
        (f"/v1/households/{unknown}/dwelling", "dwelling_unknown"),
        (f"/v1/house-files/{unknown}", "house_file_unknown"),
    ):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert (await move(client, unknown, occupied=False)).status_code == 404
