"""What officers and systems ask about dibao, and what they may not see."""

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import clock
from shared.db import Database
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.relief.support import COUNTY, lifted, receive, rows, set_line
from tests.support.builders import household, member

NEW_YEAR = date(2026, 1, 1)


@pytest.fixture(autouse=True)
async def line(worker: Database) -> None:
    await set_line(worker, "1150", NEW_YEAR)


async def get(client: httpx.AsyncClient, path: str, **asked: Any) -> Any:
    answer = await client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_household_s_schedule(client: httpx.AsyncClient, worker: Database) -> None:
    state = household()
    await receive(worker, lifted(state, date(2026, 8, 1)))
    found = await get(client, f"/v1/households/{state.household_id}/grants")
    assert found["household_id"] == str(state.household_id)
    told = [(item["from_month"], item["amount"], item["reason"]) for item in found["items"]]
    assert told == [("2026-04", "650.00", "entitled"), ("2026-09", "0.00", "lifted")]


async def test_superseded_decisions_are_shown_when_asked_for(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = household()
    await receive(worker, lifted(state, date(2026, 8, 1)))
    await receive(worker, state, version=2)
    path = f"/v1/households/{state.household_id}/grants"
    assert len((await get(client, path))["items"]) == 1
    all_of_them = (await get(client, path, superseded="true"))["items"]
    assert [item["superseded_at"] is None for item in all_of_them] == [True, False]


async def test_a_decision_with_its_explanation(client: httpx.AsyncClient, worker: Database) -> None:
    state = household()
    await receive(worker, state)
    (item,) = (await get(client, f"/v1/households/{state.household_id}/grants"))["items"]
    found = await get(client, f"/v1/grants/{item['grant_id']}")
    explanation = found["explanation"]
    assert explanation["line"]["document_number"] == "丽民〔2026〕1号"
    assert explanation["basis"]["incomes"]["wage"] == "6000"
    codes = [step["code"] for step in explanation["steps"]]
    assert codes == ["people", "line", "income", "need", "gap", "amount"]
    assert "每月发放650元" in explanation["text"]


async def test_what_is_not_there_is_a_404(client: httpx.AsyncClient) -> None:
    for path, code in (
        (f"/v1/grants/{new_id()}", "grant_unknown"),
        (f"/v1/households/{new_id()}/grants", "grants_unknown"),
    ):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_a_month_s_list_pages_through_every_household_once(
    client: httpx.AsyncClient, worker: Database
) -> None:
    states = [household() for _ in range(7)]
    gone = lifted(household(), date(2026, 5, 5))
    await receive(worker, *states, gone)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await get(client, "/v1/grants", division=COUNTY, month="2026-06", limit=3, **cursor)
        seen += [item["household_id"] for item in page["items"]]
        assert all(item["from_month"] == "2026-04" for item in page["items"])
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == sorted(str(state.household_id) for state in states)


async def test_each_month_shows_what_holds_in_it(
    client: httpx.AsyncClient, worker: Database
) -> None:
    await receive(worker, lifted(household(), date(2026, 8, 1)))
    for month, households in (("2026-03", 0), ("2026-04", 1), ("2026-08", 1), ("2026-09", 0)):
        assert len((await get(client, "/v1/grants", month=month))["items"]) == households
        figures = await get(client, "/v1/grants/summary", month=month)
        assert figures["households"] == households
        assert figures["total_yuan"] == ("650.00" if households else "0.00")


async def test_a_county_s_month_in_figures(client: httpx.AsyncClient, worker: Database) -> None:
    family = household(members=[member(), member(), member()], wage="23880")
    rich = household(wage="13800")
    alone = household()
    city = household(division_code="331102001001")
    waiting = household(effective_from=date(2025, 10, 9))
    await receive(worker, family, rich, alone, city)
    figures = await get(client, "/v1/grants/summary", division=COUNTY, month="2026-12")
    assert figures == {
        "month": "2026-12",
        "division": COUNTY,
        "households": 3,
        "above_zero": 2,
        "people": 5,
        "missing_standard": 0,
        "total_yuan": str(Decimal("2110.00")),
    }
    await receive(worker, waiting)
    before_the_line = await get(client, "/v1/grants/summary", division=COUNTY, month="2025-11")
    assert (before_the_line["households"], before_the_line["missing_standard"]) == (1, 1)
    assert (before_the_line["above_zero"], before_the_line["total_yuan"]) == (0, "0.00")


async def test_without_a_month_the_next_one_is_meant(
    client: httpx.AsyncClient, worker: Database
) -> None:
    await receive(worker, household(effective_from=clock.today()))
    figures = await get(client, "/v1/grants/summary", division=COUNTY)
    assert figures["month"] == f"{clock.next_month(clock.today()):%Y-%m}"
    assert figures["households"] == 1
    assert len((await get(client, "/v1/grants"))["items"]) == 1


async def test_a_division_means_all_within_it(client: httpx.AsyncClient, worker: Database) -> None:
    await receive(worker, household())
    for division in (COUNTY, "331124100", "331124100201", "3311", "331100", "33", "330000"):
        figures = await get(client, "/v1/grants/summary", division=division, month="2026-12")
        assert figures["households"] == 1, division
    for division in ("331124101", "331124100202", "331102", "32"):
        figures = await get(client, "/v1/grants/summary", division=division, month="2026-12")
        assert figures["households"] == 0, division
        assert (await get(client, "/v1/grants", division=division))["items"] == []


async def test_a_malformed_question_is_refused(client: httpx.AsyncClient) -> None:
    for asked in (
        {"month": "2026-13"},
        {"month": "2026-1"},
        {"month": "2026-12-01"},
        {"month": "２０２６-12"},
        {"division": "33112"},
        {"division": "331124%"},
        {"limit": "0"},
        {"cursor": "x"},
    ):
        answer = await client.get("/v1/grants", params=asked)
        assert answer.status_code in {400, 422}, asked
        assert answer.headers["content-type"] == "application/problem+json"


async def test_every_look_at_a_household_is_written_down(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = household()
    await receive(worker, state)
    await get(client, f"/v1/households/{state.household_id}/grants")
    await get(client, "/v1/grants", month="2026-12")
    found = await rows(worker, "SELECT * FROM audit_log WHERE action = 'dibao.read' ORDER BY id")
    assert [line["subject_id"] for line in found] == [str(state.household_id)] * 2
    assert {(line["officer_id"], line["division_code"]) for line in found} == {
        ("o1", state.division_code)
    }


async def test_the_scope_is_asked_for(relief: ServiceDatabase, client_of: ClientOf) -> None:
    stranger = await client_of("relief", relief, scopes="relief.payments:read")
    for path in ("grants", "grants/summary", f"grants/{new_id()}", f"households/{new_id()}/grants"):
        answer = await stranger.get(f"/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
