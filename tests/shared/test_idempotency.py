"""A POST sent twice, at once, late or changed: one effect, one answer."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import clock, crypto
from shared.auth import system_caller
from shared.db import Database
from shared.idempotency import forget_expired
from tests.support.things import READER, WRITER
from tests.support.tokens import Tokens

KEY = {"Idempotency-Key": "0194-first"}


async def count(database: ServiceDatabase, table: str = "things") -> int:
    """How many rows there really are."""
    connection = await asyncpg.connect(database.worker_url)
    try:
        found: int = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - the tests' own names
    finally:
        await connection.close()
    return found


async def kept(database: ServiceDatabase) -> list[bytes]:
    """The stored answers, as they lie in the table."""
    connection = await asyncpg.connect(database.worker_url)
    try:
        return [row["answer"] for row in await connection.fetch("SELECT * FROM idempotency_keys")]
    finally:
        await connection.close()


async def test_the_same_request_twice_has_one_effect_and_one_answer(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    first = await things.post("/v1/things", json={"name": "张三", "size": 1}, headers=KEY)
    second = await things.post("/v1/things", json={"name": "张三", "size": 1}, headers=KEY)
    assert first.status_code == second.status_code == 201
    assert second.content == first.content
    for header in ("location", "etag", "content-type", "content-length"):
        assert second.headers[header] == first.headers[header]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["x-correlation-id"] != first.headers["x-correlation-id"]
    assert await count(things_database) == 1
    assert await count(things_database, "audit_log") == 1


async def test_the_answer_is_stored_encrypted(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    await things.post("/v1/things", json={"name": "plainly-readable"}, headers=KEY)
    (blob,) = await kept(things_database)
    assert b"plainly-readable" not in blob
    assert b"plainly-readable" in crypto.decrypt_bytes(blob, purpose="idempotency")


@pytest.mark.parametrize(
    "change",
    [
        {"json": {"name": "b"}},
        {"params": {"dry_run": "true"}},
    ],
    ids=["another body", "another query"],
)
async def test_the_same_key_for_another_request_is_refused(
    things: httpx.AsyncClient, things_database: ServiceDatabase, change: dict[str, Any]
) -> None:
    await things.post("/v1/things", json={"name": "a"}, headers=KEY)
    request: dict[str, Any] = {"json": {"name": "a"}} | change
    answer = await things.post("/v1/things", headers=KEY, **request)
    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert await count(things_database) == 1


async def test_a_token_of_other_rights_cannot_fetch_the_answer(
    things: httpx.AsyncClient, tokens: Tokens
) -> None:
    await things.post("/v1/things", json={"name": "a"}, headers=KEY)
    for rights in (
        {"scopes": [WRITER, READER], "divisions": ("331124101",)},
        {"scopes": [READER], "divisions": ("331124",)},
    ):
        headers = tokens.headers(**rights) | KEY
        answer = await things.post("/v1/things", json={"name": "a"}, headers=headers)
        assert answer.status_code == 422


async def test_keys_belong_to_their_client_and_their_path(
    things: httpx.AsyncClient, tokens: Tokens, things_database: ServiceDatabase
) -> None:
    await things.post("/v1/things", json={"name": "a"}, headers=KEY)
    other = tokens.headers(scopes=[WRITER, READER], officer="o2") | KEY
    answer = await things.post("/v1/things", json={"name": "b"}, headers=other)
    assert answer.status_code == 201
    refused = await things.post("/v1/things/refused", json={"name": "a2"}, headers=KEY)
    assert refused.json()["code"] == "thing_refused"
    assert await count(things_database) == 2


async def test_a_field_that_varies_per_retry_in_multipart_is_not_the_body(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    """A client draws a new multipart boundary for every request."""

    async def send(content: bytes) -> httpx.Response:
        files = {"file": ("roster.xlsx", content)}
        return await things.post("/v1/things/upload", data={"note": "n"}, files=files, headers=KEY)

    first, second = await send(b"\x00" * 3000), await send(b"\x00" * 3000)
    assert first.json()["bytes"] == 3000
    assert (second.status_code, second.content) == (201, first.content)
    assert (await send(b"\x01" * 3000)).json()["code"] == "idempotency_key_reused"
    assert await count(things_database) == 1


@pytest.mark.parametrize("path", ["refused", "returned"])
async def test_a_failed_request_leaves_nothing_and_may_be_sent_again(
    things: httpx.AsyncClient, things_database: ServiceDatabase, path: str
) -> None:
    for _ in range(2):
        answer = await things.post(f"/v1/things/{path}", json={"name": "a"}, headers=KEY)
        assert answer.status_code == 409
        assert "idempotency-replayed" not in answer.headers
    assert await count(things_database) == 0
    assert await kept(things_database) == []


async def test_a_failing_commit_keeps_no_answer(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    await things.post("/v1/things", json={"name": "a", "label": "same"})
    refused = await things.post("/v1/things", json={"name": "b", "label": "same"}, headers=KEY)
    assert refused.status_code == 409
    assert len(await kept(things_database)) == 1
    made = await things.post("/v1/things", json={"name": "b", "label": "free"}, headers=KEY)
    assert made.status_code == 201


async def test_a_streamed_answer_is_a_fault_of_ours_and_nothing_is_written(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    answer = await things.post("/v1/things/streamed", json={"name": "a"})
    assert answer.status_code == 500
    assert await count(things_database) == 0


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "idempotency_key_missing"),
        ("k" * 256, "idempotency_key_unreadable"),
        ("two words", "idempotency_key_unreadable"),
    ],
)
async def test_a_key_is_needed_and_readable(
    things: httpx.AsyncClient, things_database: ServiceDatabase, key: str, code: str
) -> None:
    headers = {"Idempotency-Key": key}
    answer = await things.post("/v1/things", json={"name": "a"}, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert await count(things_database) == 0


async def test_the_longest_key_fits(things: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k" * 255}
    answer = await things.post("/v1/things", json={"name": "a"}, headers=headers)
    assert answer.status_code == 201


async def test_two_keys_are_one_too_many(things: httpx.AsyncClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await things.post("/v1/things", json={"name": "a"}, headers=headers)
    assert answer.json()["code"] == "idempotency_key_unreadable"


async def test_a_post_that_only_asks_needs_none(things: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": ""}
    answer = await things.post("/v1/things/search", json={"name": "a"}, headers=headers)
    assert (answer.status_code, answer.json()) == (200, [])


async def test_at_once_one_effect_and_no_other_answer(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    async def send() -> httpx.Response:
        return await things.post("/v1/things", json={"name": "a"}, headers=KEY)

    answers = await asyncio.gather(*(send() for _ in range(5)))
    made = {answer.content for answer in answers if answer.status_code == 201}
    others = {answer.json()["code"] for answer in answers if answer.status_code != 201}
    assert len(made) == 1
    assert others <= {"request_in_flight"}
    assert await count(things_database) == 1


async def test_while_the_first_is_being_carried_out_the_second_is_told_so(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    """The first waits for a row lock that this test holds, so the order is certain."""
    holder = await asyncpg.connect(things_database.worker_url)
    try:
        async with holder.transaction():
            await holder.execute(
                "INSERT INTO things (id, division_code, name)"
                " VALUES (gen_random_uuid(), '331124', 'a')"
            )
            first = asyncio.create_task(things.post("/v1/things", json={"name": "a"}, headers=KEY))
            await until_waiting(holder)
            second = await things.post("/v1/things", json={"name": "a"}, headers=KEY)
            await holder.execute("DELETE FROM things")
        done = await first
    finally:
        await holder.close()
    assert (second.status_code, second.json()["code"]) == (409, "request_in_flight")
    assert done.status_code == 201
    again = await things.post("/v1/things", json={"name": "a"}, headers=KEY)
    assert again.content == done.content


async def until_waiting(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Until some other session waits for a transaction to end."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
    async with asyncio.timeout(10):
        while not await connection.fetchval(waiting):
            pass


@pytest.fixture
def moving_clock(tmp_path: Path) -> Iterator[None]:
    """The development clock, put back afterwards."""
    clock.configure(tmp_path / "clock", "development")
    yield
    clock.configure(None, "production")


async def test_an_answer_is_kept_seven_days(
    things: httpx.AsyncClient, things_database: ServiceDatabase, moving_clock: None
) -> None:
    first = await things.post("/v1/things", json={"name": "a"}, headers=KEY)
    clock.advance(timedelta(days=7, minutes=-1))
    second = await things.post("/v1/things", json={"name": "a"}, headers=KEY)
    assert second.content == first.content
    clock.advance(timedelta(minutes=1))
    # forgotten, whether or not the worker has swept: another body is now a new request
    third = await things.post("/v1/things", json={"name": "b"}, headers=KEY)
    assert third.status_code == 201
    assert "idempotency-replayed" not in third.headers
    fourth = await things.post("/v1/things", json={"name": "b"}, headers=KEY)
    assert fourth.content == third.content
    assert await count(things_database) == 2


async def test_the_worker_forgets_expired_answers_only(
    things: httpx.AsyncClient, things_database: ServiceDatabase, moving_clock: None
) -> None:
    await things.post("/v1/things", json={"name": "a"})
    clock.advance(timedelta(days=6))
    await things.post("/v1/things", json={"name": "b"})
    clock.advance(timedelta(days=1))
    worker = Database(things_database.worker_url, application_name="test")
    try:
        async with worker.transaction(divisions=system_caller("notify").divisions) as session:
            await forget_expired(session)
    finally:
        await worker.close()
    assert len(await kept(things_database)) == 1
