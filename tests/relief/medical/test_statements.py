"""A day's statement: every amount in one, confirmed once by another officer, told as paid."""

import asyncio
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import python_calamine

from deploy.local.provision import ServiceDatabase
from services.relief.medical import statement_jobs, statements
from shared import clock
from shared.contracts.registry import Category
from shared.db import Database
from shared.identity import new_id
from tests.conftest import ClientOf
from tests.relief.medical.support import grants, line, only, send, settle, told
from tests.relief.support import COUNTY, SCOPES, blocked, receive, rows, run_jobs
from tests.support.builders import household
from tests.support.waiting import until


@pytest.fixture
async def colleague(relief: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """Who confirms what o1 made."""
    return await client_of("relief", relief, scopes=SCOPES, officer="o2", divisions=(COUNTY,))


@pytest.fixture
async def decided(client: httpx.AsyncClient, worker: Database) -> None:
    """Three amounts and one bill without any."""
    dibao, marginal = household(), household(category=Category.DIBAO_MARGINAL)
    await receive(worker, dibao, marginal)
    nothing = only(marginal, "2000", settlement_no="A4")
    bills = [line(dibao, settlement_no="A1"), line(dibao, settlement_no="A2")]
    await settle(client, worker, *bills, line(marginal, settlement_no="A3"), nothing)


async def make(client: httpx.AsyncClient, worker: Database, **changes: Any) -> dict[str, Any]:
    asked = {"day": clock.today().isoformat(), "division": COUNTY} | changes
    answer = await client.post("/v1/medical-statements", json=asked)
    assert answer.status_code == 202, answer.text
    await run_jobs(worker)
    return dict((await client.get(answer.headers["Location"])).json())


def confirmation(statement: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {"paid_on": clock.today().isoformat()} | changes
    return {"url": f"/v1/medical-statements/{statement['statement_id']}/confirm", "json": body}


async def test_who_how_much_and_in_all(
    client: httpx.AsyncClient, worker: Database, decided: None
) -> None:
    made = await make(client, worker)
    assert (made["amounts"], made["people"], made["total_yuan"]) == (3, 2, "32800.00")
    found = await client.get(f"/v1/medical-statements/{made['statement_id']}/amounts")
    items = {item["settlement_no"]: item["amount"] for item in found.json()["items"]}
    assert items == {"A1": "11900.00", "A2": "11900.00", "A3": "9000.00"}


async def test_made_again_it_holds_what_was_decided_since(
    client: httpx.AsyncClient, worker: Database, decided: None
) -> None:
    await make(client, worker)
    state = household()
    await receive(worker, state)
    await settle(client, worker, line(state, settlement_no="A9"))
    again = await make(client, worker)
    assert (again["amounts"], again["total_yuan"]) == (1, "11900.00")
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    assert (await make(client, worker, day=yesterday))["amounts"] == 0


async def test_two_statements_at_once_share_no_amount(
    client: httpx.AsyncClient, worker: Database, decided: None
) -> None:
    asked = {"day": clock.today().isoformat(), "division": COUNTY}
    for _ in range(2):
        assert (await client.post("/v1/medical-statements", json=asked)).status_code == 202
    both: list[Any] = await rows(worker, "SELECT * FROM medical_statements")
    first, second = both

    async def collect(statement: Any) -> int:
        async with worker.transaction() as session:
            return await statements.collect(session, statement, limit=10)

    async with worker.transaction() as session:
        assert await statements.collect(session, first, limit=10) == 3
        waiting = asyncio.create_task(collect(second))
        await until(lambda: blocked(worker), what="the second to wait for the first")
    assert await waiting == 0


async def test_confirmed_once_by_another_officer_and_told(
    client: httpx.AsyncClient,
    colleague: httpx.AsyncClient,
    worker: Database,
    decided: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(statement_jobs, "CHUNK", 2)
    made = await make(client, worker)
    own = await client.post(**confirmation(made))
    assert (own.status_code, own.json()["code"]) == (409, "same_officer")
    answers = await asyncio.gather(*(colleague.post(**confirmation(made)) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert {a.json().get("code") for a in answers} == {None, "statement_confirmed"}
    await run_jobs(worker)
    found = [row for row in await grants(worker) if row["amount"]]
    assert {(row["status"], row["version"], row["paid_on"]) for row in found} == {
        ("paid", 2, clock.today())
    }
    events = await told(worker)
    approved = {each["assistance_id"]: each for each in events[:3]}
    assert [each["status"] for each in events] == ["approved"] * 3 + ["paid"] * 3
    for each in events[3:]:
        assert each == approved[each["assistance_id"]] | {"status": "paid"}


async def test_a_statement_still_being_collected_waits(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database
) -> None:
    asked = {"day": clock.today().isoformat(), "division": COUNTY}
    made = (await client.post("/v1/medical-statements", json=asked)).json()
    answer = await colleague.post(**confirmation(made))
    assert (answer.status_code, answer.json()["code"]) == (409, "statement_not_over")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"day": "2999-01-01"}, 422, "day_to_come"),
        ({"division": "331102"}, 403, "division_not_covered"),
        ({"day": "yesterday"}, 422, None),
    ],
)
async def test_a_statement_that_cannot_be_is_refused(
    client: httpx.AsyncClient, changes: dict[str, Any], status: int, code: str | None
) -> None:
    asked = {"day": clock.today().isoformat(), "division": COUNTY} | changes
    answer = await client.post("/v1/medical-statements", json=asked)
    assert answer.status_code == status, answer.text
    assert code in {None, answer.json()["code"]}


async def test_another_county_s_statement_is_unknown(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient, worker: Database, decided: None
) -> None:
    made = await make(client, worker)
    answer = await neighbour.post(**confirmation(made))
    assert (answer.status_code, answer.json()["code"]) == (404, "medical_statement_unknown")
    unknown = confirmation({"statement_id": new_id()})
    assert (await client.post(**unknown)).status_code == 404
    path = f"/v1/medical-statements/{made['statement_id']}/workbook"
    assert (await neighbour.get(path)).status_code == 404


async def test_the_workbook_has_ids_and_numbers_and_no_formula(
    client: httpx.AsyncClient, worker: Database, decided: None
) -> None:
    state = household()
    await receive(worker, state)
    await settle(client, worker, line(state, settlement_no="A5"))
    made = await make(client, worker)
    answer = await client.get(f"/v1/medical-statements/{made['statement_id']}/workbook")
    assert answer.status_code == 200, answer.text
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    title, headers, *body, total = book.get_sheet_by_index(0).to_python()
    assert title[0] == f"331124 {clock.today().isoformat()} 医疗救助结算单"
    assert headers[1:3] == ["人员编号", "家庭编号"]
    assert [row[4] for row in body] == ["A1", "A2", "A3", "A5"]
    assert body[-1][1] == str(state.head_person_id)
    assert sum(Decimal(str(row[-1])) for row in body) == Decimal(str(total[-1])) == Decimal(44700)
    audited = await rows(worker, "SELECT 1 FROM audit_log WHERE action = 'medical.read'")
    assert len(audited) == 4


async def test_statements_that_wait_are_found(
    client: httpx.AsyncClient, colleague: httpx.AsyncClient, worker: Database, decided: None
) -> None:
    made = [await make(client, worker) for _ in range(2)]
    assert (await colleague.post(**confirmation(made[0]))).status_code == 202
    today = clock.today()
    for asked, found in (
        ({}, made),
        ({"unconfirmed": True}, made[1:]),
        ({"day": today.isoformat(), "division": COUNTY}, made),
        ({"day": (today - timedelta(days=1)).isoformat()}, []),
    ):
        answer = await colleague.get("/v1/medical-statements", params=asked)
        ids = [item["statement_id"] for item in answer.json()["items"]]
        assert ids == [each["statement_id"] for each in found], asked


async def test_a_quarter_adds_up_to_its_statements(
    client: httpx.AsyncClient, worker: Database, decided: None
) -> None:
    """Sums by county and category, statements, and person-years say the same, to the fen."""
    states = [household(category=each) for each in (Category.TEKUN, Category.DIBAO)]
    await receive(worker, *states)
    await settle(client, worker, *(only(each, "333.33") for each in states * 3))
    made = await make(client, worker)
    today = clock.today()
    asked = {"quarter": f"{today.year}-Q{(today.month + 2) // 3}"}
    found = (await client.get("/v1/medical-grants/summary", params=asked)).json()
    granted = await rows(worker, "SELECT sum(granted) AS sum FROM medical_person_years")
    assert Decimal(found["total_yuan"]) == Decimal(made["total_yuan"]) == granted[0]["sum"]
    assert sum(Decimal(item["total_yuan"]) for item in found["items"]) == granted[0]["sum"]
    assert sum(item["amounts"] for item in found["items"]) == made["amounts"] == 9


async def test_a_file_too_early_is_in_no_statement(
    client: httpx.AsyncClient, worker: Database
) -> None:
    """Stored and not yet decided on: the statement of that moment is empty."""
    state = household()
    await receive(worker, state)
    asked = {"day": clock.today().isoformat(), "division": COUNTY}
    made = (await client.post("/v1/medical-statements", json=asked)).json()
    await run_jobs(worker)
    await send(client, line(state))
    found = (await client.get(f"/v1/medical-statements/{made['statement_id']}")).json()
    assert (found["amounts"], found["total_yuan"]) == (0, "0.00")
