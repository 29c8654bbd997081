"""What officers and systems ask about tekun grants, and what they may not see."""

from datetime import date
from typing import Any

import httpx
import pytest

from shared import clock
from shared.contracts.registry import Category
from shared.db import Database
from shared.identity import new_id
from tests.relief.support import COUNTY, lifted, receive, rows, run_jobs, set_tekun_figures
from tests.relief.tekun.support import TODAY, confirmed, institution, placing, tekun_household
from tests.support.builders import household

NEXT = f"{clock.next_month(TODAY):%Y-%m}"


@pytest.fixture(autouse=True)
async def figures(worker: Database) -> None:
    await set_tekun_figures(worker)


async def get(client: httpx.AsyncClient, path: str, **asked: Any) -> Any:
    answer = await client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("known")
async def test_a_decision_is_explained_as_json_and_in_chinese(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    state = tekun_household()
    await receive(worker, state)
    await confirmed(client, colleague, state, failed=2)
    home = await institution(client, colleague)
    await client.post(
        f"/v1/households/{state.household_id}/tekun-supports", json=placing(state, home)
    )
    await run_jobs(worker)
    found = await get(client, f"/v1/households/{state.household_id}/tekun-grants")
    assert [(item["amount"], item["reason"], item["payee"]) for item in found["items"]] == [
        ("780.00", "assessment_missing", "person"),
        ("1194.00", "entitled", "institution"),
    ]
    newest = found["items"][-1]
    assert (newest["from_month"], newest["institution_id"]) == (NEXT, home)
    grant = await get(client, f"/v1/tekun-grants/{newest['grant_id']}")
    told = grant["explanation"]
    assert [step["code"] for step in told["steps"]] == ["people", "basic", "care", "amount"]
    assert told["figures"]["tekun.basic_multiple"]["value"] == "1.30"
    assert told["figures"]["minimum_wage"]["document_number"] == "丽民〔2026〕1号"
    assert told["people"][0]["assessment"]["failed"] == ["eat", "dress"]
    assert "每月发放780元+414元=1194元。集中供养，拨付供养服务机构。" in told["text"]
    assert {key: grant[key] for key in newest} == newest


async def test_superseded_decisions_are_shown_when_asked_for(
    client: httpx.AsyncClient, worker: Database
) -> None:
    state = tekun_household()
    await receive(worker, lifted(state, TODAY))
    await receive(worker, state, version=2)
    path = f"/v1/households/{state.household_id}/tekun-grants"
    assert len((await get(client, path))["items"]) == 1
    assert len((await get(client, path, superseded="true"))["items"]) == 2


async def test_what_is_not_there_is_a_404(client: httpx.AsyncClient, worker: Database) -> None:
    dibao = household()
    await receive(worker, dibao)
    for path, code in (
        (f"/v1/tekun-grants/{new_id()}", "grant_unknown"),
        (f"/v1/households/{new_id()}/tekun-grants", "grants_unknown"),
        (f"/v1/households/{dibao.household_id}/tekun-grants", "grants_unknown"),
    ):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_a_month_s_list_pages_through_every_household_once(
    client: httpx.AsyncClient, worker: Database
) -> None:
    states = [tekun_household() for _ in range(5)]
    await receive(worker, *states, lifted(tekun_household(), TODAY), household())
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await get(client, "/v1/tekun-grants", division=COUNTY, limit=2, **cursor)
        seen += [item["household_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == sorted(str(state.household_id) for state in states)


@pytest.mark.usefixtures("known")
async def test_who_is_not_assessed_is_listed_and_counted(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    looked_at, not_yet = tekun_household(), tekun_household()
    waiting = tekun_household(effective_from=date(2025, 10, 9))
    await receive(worker, looked_at, not_yet, waiting)
    await confirmed(client, colleague, looked_at)
    await run_jobs(worker)
    listed = await get(client, "/v1/tekun-grants", reason="assessment_missing")
    assert {item["household_id"] for item in listed["items"]} == {
        str(not_yet.household_id),
        str(waiting.household_id),
    }
    assert await get(client, "/v1/tekun-grants/summary", division=COUNTY) == {
        "month": NEXT,
        "division": COUNTY,
        "households": 3,
        "above_zero": 3,
        "people": 3,
        "missing_standard": 0,
        "assessment_missing": 2,
        "total_yuan": "2754.00",
    }
    before = await get(client, "/v1/tekun-grants/summary", division=COUNTY, month="2025-11")
    assert (before["households"], before["missing_standard"]) == (1, 1)
    assert before["total_yuan"] == "0.00"


async def test_a_malformed_question_is_refused(client: httpx.AsyncClient) -> None:
    for asked in ({"month": "2026-13"}, {"division": "33112"}, {"reason": "x"}, {"cursor": "x"}):
        answer = await client.get("/v1/tekun-grants", params=asked)
        assert answer.status_code in {400, 422}, asked
        assert answer.headers["content-type"] == "application/problem+json"


async def test_every_look_is_written_down(client: httpx.AsyncClient, worker: Database) -> None:
    state = tekun_household()
    await receive(worker, state, household(category=Category.DIBAO))
    await get(client, f"/v1/households/{state.household_id}/tekun-grants")
    await get(client, "/v1/tekun-grants")
    await get(client, f"/v1/households/{state.household_id}/tekun-assessments")
    found = await rows(worker, "SELECT * FROM audit_log WHERE action = 'tekun.read' ORDER BY id")
    assert [line["subject_id"] for line in found] == [str(state.household_id)] * 2
