"""C22: who holds a receipt number learns what came of it; nobody else does, or tries numbers."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from deploy.local.provision import ServiceDatabase
from shared import public_uses, receipts
from shared.contracts.leads import LeadState
from shared.db import Database
from tests.conftest import ClientOf, SettingsOf
from tests.notify.feedback.told import OVER, SEEN, ended, hear, held, lead
from tests.notify.support import rows

NOT_FOUND = "没有查到这个回执号，请核对；刚刚反映的，请稍后再查"
ASKED = "SELECT purpose, uses FROM public_uses"


@pytest.fixture
async def citizen(notify: ServiceDatabase, client_of: ClientOf) -> httpx.AsyncClient:
    """Somebody without a token."""
    return await client_of("notify", notify)


async def ask(citizen: httpx.AsyncClient, receipt: str) -> httpx.Response:
    return await citizen.post("/v1/public/feedback", json={"receipt": receipt})


async def word(citizen: httpx.AsyncClient, receipt: str) -> dict[str, Any]:
    answer = await ask(citizen, receipt)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_who_holds_the_number_hears_what_happened_on_which_day(
    worker: Database, citizen: httpx.AsyncClient
) -> None:
    first, later = receipts.new(), receipts.new()
    one = lead(receipts=(held(first), held(later, SEEN.replace(day=15))))
    await hear(worker, one)
    waiting = await word(citizen, first)
    await hear(worker, ended(one, LeadState.ACCEPTED, accord="household_agrees"), version=3)

    assert waiting == {
        "status": "已收到，等待入户走访",
        "steps": ["2026年3月10日，收到您反映的情况"],
    }
    assert await word(citizen, first.replace("-", "").lower()) == {
        "status": "已受理，进入申请程序",
        "steps": [
            "2026年3月10日，收到您反映的情况",
            "2026年3月12日，工作人员已入户走访",
            "2026年3月20日，已受理，进入申请程序",
        ],
    }
    assert (await word(citizen, later))["steps"] == [
        "2026年3月15日，收到您反映的情况",
        "2026年3月15日，工作人员已入户走访",
        "2026年3月20日，已受理，进入申请程序",
    ]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(receipts.new(), id="another"),
        "x",
        "7K2M-9QXW-01AB-CDEF-42",
        "' OR true --",
    ],
)
async def test_a_number_nobody_holds_is_answered_and_counts(
    worker: Database, citizen: httpx.AsyncClient, given: str
) -> None:
    await hear(worker, lead(receipts=(held(receipts.new()),)))

    assert await word(citizen, given) == {"status": NOT_FOUND, "steps": []}
    assert await rows(worker, ASKED) == [{"purpose": "feedback.asked", "uses": 1}]


async def test_a_hash_is_no_number(worker: Database, citizen: httpx.AsyncClient) -> None:
    receipt = receipts.new()
    await hear(worker, lead(receipts=(held(receipt),)))

    hashed = await ask(citizen, receipts.hash_of(receipt))

    assert (hashed.status_code, hashed.json()["code"]) == (422, "request_invalid")
    assert (await word(citizen, receipts.hash_of(receipt)[:40]))["steps"] == []


async def test_an_address_asks_so_often_a_day_over_many_connections(
    notify: ServiceDatabase, worker: Database, client_of: ClientOf, settings_of: SettingsOf
) -> None:
    settings = settings_of("notify", notify, public_feedback_questions_per_address=3)
    curious = await client_of("notify", notify, settings=settings)

    answers = await asyncio.gather(*(ask(curious, receipts.new()) for _ in range(7)))

    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 4
    async with worker.transaction() as session:
        await public_uses.forget_past(session, OVER.replace(year=2126))
    assert (await ask(curious, receipts.new())).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"receipt": ""}, 422),
        ({"receipt": "9" * 41}, 422),
        ({"receipt": "x", "division": "331124"}, 422),
        ({"receipt": "9" * 2000}, 413),
    ],
)
async def test_what_cannot_be_is_refused_and_counts_nothing(
    worker: Database, citizen: httpx.AsyncClient, body: dict[str, str], status: int
) -> None:
    answer = await citizen.post("/v1/public/feedback", json=body)

    assert answer.status_code == status
    assert await rows(worker, ASKED) == []


async def test_a_public_session_sees_no_lead(worker: Database, api_role: Database) -> None:
    await hear(worker, lead())
    async with api_role.transaction(divisions=()) as session:
        assert await session.scalar(text("SELECT count(*) FROM feedback")) == 0
    async with api_role.transaction(divisions=("331124",)) as session:
        assert await session.scalar(text("SELECT count(*) FROM feedback")) == 1


async def test_no_api_reads_whose_receipts_there_are(worker: Database, api_role: Database) -> None:
    await hear(worker, lead(receipts=(held(receipts.new()),)))
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with api_role.transaction(divisions=("",)) as session:
            await session.execute(text("SELECT * FROM feedback_receipts"))
