"""C22: a citizen's lead gets a receipt number, the limits hold, and nobody's data comes back."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from shared import clock, receipts
from tests.conftest import ClientOf, SettingsOf
from tests.registry.conftest import OfficeOf
from tests.registry.filing import (
    OTHER_TOWNSHIP,
    WRITTEN,
    Office,
    Registry,
    number,
    person,
    problem,
)
from tests.registry.leads.telling import dismiss, read, visit
from tests.registry.told import VILLAGE

WORDS = "<script>alert(1)</script>邻居老人摔伤无人照料"


def body(**given: Any) -> dict[str, Any]:
    """What a citizen sends; every test has phones of its own."""
    return {"text": WORDS, "division_code": VILLAGE, "phone": "13900000000"} | given


@pytest.fixture
async def citizen(
    registry: Registry, client_of: ClientOf, settings_of: SettingsOf
) -> httpx.AsyncClient:
    """Somebody without a token, whose address may send as much as these tests do."""
    settings = settings_of("registry", registry.urls, public_leads_per_address=1000)
    return await client_of("registry", registry.urls, settings=settings)


async def tell(citizen: httpx.AsyncClient, **given: Any) -> httpx.Response:
    return await citizen.post("/v1/public/leads", json=body(**given))


async def told(citizen: httpx.AsyncClient, **given: Any) -> str:
    """Tell of somebody, which must pass; gives the receipt number."""
    answer = await tell(citizen, **given)
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"receipt"}
    return str(answer.json()["receipt"])


async def lead_of(registry: Registry, receipt: str) -> dict[str, Any]:
    (row,) = await registry.rows(
        "SELECT * FROM leads WHERE :receipt = ANY (receipts)", receipt=receipts.hash_of(receipt)
    )
    return row


async def status(citizen: httpx.AsyncClient, receipt: str) -> str:
    answer = await citizen.post("/v1/public/leads/status", json={"receipt": receipt})
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"status"}
    return str(answer.json()["status"])


async def test_who_holds_the_number_learns_how_far_it_has_come(
    registry: Registry, office_of: OfficeOf, citizen: httpx.AsyncClient
) -> None:
    office = await office_of("registry.leads:read registry.leads:write registry.leads:decide")
    receipt = await told(citizen, phone="13900000091", id_number=number())
    lead_id = str((await lead_of(registry, receipt))["lead_id"])

    waiting = await status(citizen, receipt.replace("-", "").lower())
    await visit(office, lead_id, visited_on=clock.today().isoformat())
    visited = await status(citizen, receipt)
    await dismiss(office, lead_id)
    over = await status(citizen, receipt)

    assert (waiting, visited) == ("已收到，等待入户走访", "已入户走访，正在核实")
    assert over.startswith("经走访核实")
    assert await status(citizen, receipts.new()) == "没有查到这个回执号，请核对"
    assert await status(citizen, "x") == "没有查到这个回执号，请核对"


async def test_an_address_asks_so_often_a_day(
    registry: Registry, client_of: ClientOf, settings_of: SettingsOf
) -> None:
    settings = settings_of("registry", registry.urls, public_lead_questions_per_address=1)
    await registry.rows("DELETE FROM public_uses WHERE purpose = 'leads.status' RETURNING 1")
    curious = await client_of("registry", registry.urls, settings=settings)

    await status(curious, receipts.new())
    again = await curious.post("/v1/public/leads/status", json={"receipt": receipts.new()})

    problem(again, 429, "too_many_today")


async def test_a_citizens_lead_gets_a_receipt_number(
    registry: Registry,
    office: Office,
    citizen: httpx.AsyncClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    id_number = number()
    capsys.readouterr()

    receipt = await told(citizen, phone="139 0000 0001", id_number=id_number)

    logged = capsys.readouterr().out
    lead = await lead_of(registry, receipt)
    seen = await read(office, str(lead["lead_id"]))
    (row,) = await registry.rows(
        "SELECT * FROM lead_reports WHERE lead_id = :id", id=lead["lead_id"]
    )
    stored = b"".join(value for value in row.values() if isinstance(value, bytes))
    assert receipts.parse(receipt) not in str(lead)
    assert (lead["source"], lead["state"], lead["division_code"]) == ("wechat", "open", VILLAGE)
    assert seen["reports"][0]["text"] == WORDS
    assert seen["reports"][0]["phone"] == "139****0001"
    for secret in ("13900000001", "139 0000 0001", id_number, "邻居", "127.0.0.1", receipt):
        assert secret not in logged
        assert secret.encode() not in stored
    assert '"route":"/v1/public/leads","status":201' in logged


async def test_a_member_of_a_file_and_a_second_sender_join_and_nobody_learns_it(
    registry: Registry, office: Office, citizen: httpx.AsyncClient
) -> None:
    id_number = number()
    household_id = await office.open(person(id_number=id_number), division_code=OTHER_TOWNSHIP)

    first = await told(citizen, phone="13900000002", id_number=id_number)
    second = await told(citizen, phone="13900000003", id_number=id_number)

    one, two = await lead_of(registry, first), await lead_of(registry, second)
    assert one["lead_id"] == two["lead_id"]
    assert (str(one["household_id"]), one["division_code"]) == (household_id, OTHER_TOWNSHIP)
    assert one["version"] == 2
    assert len((await read(office, str(one["lead_id"])))["reports"]) == 2


async def test_a_person_of_another_county_is_not_looked_for(
    registry: Registry, office_of: OfficeOf, citizen: httpx.AsyncClient
) -> None:
    id_number = number()
    next_door = await office_of(divisions=("331121",), officer="o9")
    await next_door.open(person(id_number=id_number), division_code="331121001001")

    lead = await lead_of(registry, await told(citizen, phone="13900000004", id_number=id_number))

    assert (lead["household_id"], lead["division_code"]) == (None, VILLAGE)


async def test_the_limit_of_a_phone_holds_over_many_connections(
    registry: Registry, citizen: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(*(tell(citizen, phone="13900000005") for _ in range(7)))
    spaced = await tell(citizen, phone="139-0000-0005".replace("-", " "))

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [429] * 4
    refused = problem(spaced, 429, "too_many_today")
    assert 0 < int(spaced.headers["Retry-After"]) <= 86_400
    assert "13900000005" not in str(refused)
    assert (await tell(citizen, phone="13900000006")).status_code == 201


async def test_the_limit_of_an_address_holds_and_a_repeat_counts_once(
    registry: Registry, client_of: ClientOf, settings_of: SettingsOf
) -> None:
    await registry.forget("public_uses")
    settings = settings_of("registry", registry.urls, public_leads_per_address=2)
    citizen = await client_of("registry", registry.urls, settings=settings)
    key = {"Idempotency-Key": "one"}

    first = [
        await citizen.post("/v1/public/leads", json=body(phone="13900000007"), headers=key)
        for _ in range(3)
    ]
    spoofed = {"X-Forwarded-For": "203.0.113.9"}
    second = await citizen.post("/v1/public/leads", json=body(phone="13900000008"), headers=spoofed)
    third = await citizen.post("/v1/public/leads", json=body(phone="13900000009"), headers=spoofed)

    assert len({answer.json()["receipt"] for answer in first}) == 1
    assert second.status_code == 201
    problem(third, 429, "too_many_today")


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"text": ""}, 422, "request_invalid"),
        ({"text": " "}, 422, "text_missing"),
        ({"text": "多" * 1001}, 422, "request_invalid"),
        ({"text": "多" * 20_000}, 413, "body_too_large"),
        ({"phone": "call me"}, 422, "phone_invalid"),
        ({"phone": None}, 422, "request_invalid"),
        ({"division_code": "331100"}, 422, "division_unknown"),
        ({"division_code": "331124999"}, 422, "division_unknown"),
        ({"division_code": "<b>"}, 422, "request_invalid"),
        ({"id_number": "331102199003070017"}, 422, "id_number_checksum"),
        ({"household_id": "019a0000-0000-7000-8000-000000000000"}, 422, "request_invalid"),
    ],
)
async def test_what_cannot_be_is_refused_without_an_echo(
    registry: Registry,
    citizen: httpx.AsyncClient,
    given: dict[str, Any],
    status: int,
    code: str,
) -> None:
    before = await registry.counted(*WRITTEN, "public_uses")

    answer = await tell(citizen, **({"phone": "13900000010"} | given))

    problem(answer, status, code)
    for sent in ("<script", "邻居", "13900000010", "call me", "<b>", "331102199003070017"):
        assert sent not in answer.text
    assert await registry.counted(*WRITTEN, "public_uses") == before


async def test_without_a_key_nothing_is_taken(citizen: httpx.AsyncClient) -> None:
    answer = await citizen.post(
        "/v1/public/leads", json=body(phone="13900000011"), headers={"Idempotency-Key": ""}
    )

    problem(answer, 400, "idempotency_key_missing")


async def test_a_public_session_sees_nothing(registry: Registry, office: Office) -> None:
    await office.open()
    async with registry.api.transaction(divisions=()) as session:
        for table in ("households", "persons", "leads", "lead_reports", "tasks"):
            count = text(f"SELECT count(*) FROM {table}")  # noqa: S608 (our own)
            assert await session.scalar(count) == 0


async def test_no_api_reads_whose_receipts_there_are(
    registry: Registry, citizen: httpx.AsyncClient
) -> None:
    await told(citizen, phone="13900000013")
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with registry.api.transaction(divisions=("",)) as session:
            await session.execute(text("SELECT * FROM lead_receipts"))


async def test_a_citizens_lead_is_dealt_with_like_any_other(
    registry: Registry, office: Office, citizen: httpx.AsyncClient
) -> None:
    lead = await lead_of(registry, await told(citizen, phone="13900000012"))
    lead_id = str(lead["lead_id"])

    visited = await visit(office, lead_id, visited_on=clock.today().isoformat())
    done = await dismiss(office, lead_id)

    assert (visited.status_code, done.status_code) == (201, 200)
    assert done.json()["state"] == "dismissed"
