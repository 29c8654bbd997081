"""Commit before the answer, row-level security, divisions, timeouts, reconnecting."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, Text, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from deploy.local.provision import ServiceDatabase
from shared.db import Database, divisions_setting, driver_url, in_divisions, successor
from shared.identity import new_id
from tests.shared.conftest import ThingsClient
from tests.support.things import READER, THINGS
from tests.support.tokens import Tokens

PLACES = ("331124", "331124101", "331124101201", "331125", "331102101", "3312")


async def fill(database: ServiceDatabase) -> None:
    """One thing a place, named after it, written by the worker, which sees everything."""
    worker = Database(database.worker_url, application_name="test")
    try:
        async with worker.transaction() as session:
            rows = [{"id": new_id(), "division_code": place, "name": place} for place in PLACES]
            await session.execute(insert(THINGS), rows)
    finally:
        await worker.close()


async def names_seen(url: str, divisions: tuple[str, ...] | None) -> list[str]:
    """The things that a role sees without any filter of the application."""
    database = Database(url, application_name="test")
    try:
        async with database.transaction(divisions=divisions) as session:
            rows = await session.scalars(select(THINGS.c.name).order_by(THINGS.c.name))
            return list(rows)
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("divisions", "seen"),
    [
        (None, []),
        ((), []),
        (("331124",), ["331124", "331124101", "331124101201"]),
        (("331124101",), ["331124101", "331124101201"]),
        (("331125", "331102101"), ["331102101", "331125"]),
        (("3312", "99"), ["3312"]),
        (("",), sorted(PLACES)),
    ],
)
async def test_row_level_security_alone(
    things_database: ServiceDatabase, divisions: tuple[str, ...] | None, seen: list[str]
) -> None:
    await fill(things_database)
    assert await names_seen(things_database.api_url, divisions) == seen
    # forced: the owner is held by it as well
    assert await names_seen(things_database.owner_url, divisions) == seen
    assert await names_seen(things_database.worker_url, divisions) == sorted(PLACES)


async def test_writing_outside_ones_divisions_is_refused(things: httpx.AsyncClient) -> None:
    answer = await things.post("/v1/things", json={"name": "x", "division_code": "331125"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "division_not_covered"


async def test_divisions_do_not_outlive_their_transaction(
    things_database: ServiceDatabase,
) -> None:
    await fill(things_database)
    api = Database(things_database.api_url, application_name="test", pool_size=1)
    try:
        async with api.transaction(divisions=("331124",)) as session:
            assert await session.scalar(select(func.count()).select_from(THINGS)) == 3
        async with api.transaction() as session:
            assert await session.scalar(select(func.count()).select_from(THINGS)) == 0
    finally:
        await api.close()


async def test_the_applications_filter_and_the_policy_agree(
    things_database: ServiceDatabase,
) -> None:
    await fill(things_database)
    worker = Database(things_database.worker_url, application_name="test")
    try:
        for divisions in ((), ("331124",), ("331125", "331102101"), ("",), ("33",)):
            async with worker.transaction() as session:
                filtered = select(THINGS.c.name).where(
                    in_divisions(THINGS.c.division_code, divisions)
                )
                found = sorted(await session.scalars(filtered))
            assert found == await names_seen(things_database.api_url, divisions)
    finally:
        await worker.close()


async def test_the_filter_is_served_by_an_index_under_the_policy(
    things_database: ServiceDatabase,
) -> None:
    owner = await asyncpg.connect(things_database.owner_url)
    await owner.execute("CREATE INDEX ix_things_division_code ON things (division_code)")
    await owner.close()
    api = Database(things_database.api_url, application_name="test")
    try:
        async with api.transaction(divisions=("331124",)) as session:
            await session.execute(text("SET LOCAL enable_seqscan = off"))
            query = select(THINGS).where(in_divisions(THINGS.c.division_code, ("331124",)))
            compiled = query.compile(api.engine.sync_engine, compile_kwargs={"literal_binds": True})
            plan = await session.scalars(text(f"EXPLAIN {compiled}"))
            lines = "\n".join(plan)
    finally:
        await api.close()
    assert "ix_things_division_code" in lines
    assert "division_code >= '331124'" in lines


async def test_lists_and_exports_show_only_the_callers_divisions(
    things: httpx.AsyncClient, things_database: ServiceDatabase, tokens: Tokens
) -> None:
    await fill(things_database)
    mine = ["331124", "331124101", "331124101201"]
    assert [row["name"] for row in (await things.get("/v1/things")).json()["items"]] == mine
    assert (await things.get("/v1/things/unfiltered")).json() == mine
    assert (await things.get("/v1/things/export")).text.split() == mine
    two = tokens.headers(scopes=[READER], divisions=("331125", "331102101"))
    answer = await things.get("/v1/things/unfiltered", headers=two)
    assert answer.json() == ["331102101", "331125"]
    none = tokens.headers(scopes=[READER], divisions=())
    assert (await things.get("/v1/things/unfiltered", headers=none)).json() == []


async def test_a_failing_commit_is_not_a_201(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    first = await things.post("/v1/things", json={"name": "a", "label": "same"})
    assert first.status_code == 201
    second = await things.post("/v1/things", json={"name": "b", "label": "same"})
    assert second.status_code == 409
    assert second.json()["code"] == "already_exists"
    assert await names_seen(things_database.worker_url, None) == ["a"]


async def test_the_row_is_there_when_the_answer_arrives(
    things_app: FastAPI, things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    """Looked at from another connection at the very moment the answer's first byte is sent."""
    seen: list[list[str]] = []

    async def watching(scope: Any, receive: Any, send: Any) -> None:
        async def send_after_looking(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen.append(await names_seen(things_database.worker_url, None))
            await send(message)

        await things_app(scope, receive, send_after_looking)

    transport = httpx.ASGITransport(app=watching)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        headers = {**things.headers, "Idempotency-Key": "k"}
        answer = await client.post("/v1/things", json={"name": "there"}, headers=headers)
    assert answer.status_code == 201
    assert seen == [["there"]]


async def test_a_statement_that_takes_too_long_asks_to_try_again(
    things_app_with: ThingsClient,
) -> None:
    client = await things_app_with(statement_timeout_ms=100)
    answer = await client.get("/v1/things/sleep", params={"seconds": 30})
    assert answer.status_code == 503
    assert answer.json()["code"] == "try_again"
    assert answer.headers["Retry-After"] == "1"


async def test_a_lock_that_is_not_given_asks_to_try_again(
    things_app_with: ThingsClient, things_database: ServiceDatabase
) -> None:
    client = await things_app_with(lock_timeout_ms=100)
    other = await asyncpg.connect(things_database.owner_url)
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
            answer = await client.post("/v1/things", json={"name": "x"})
    finally:
        await other.close()
    assert answer.status_code == 503
    assert answer.json()["code"] == "try_again"


async def kill_connections(admin_url: str, database: ServiceDatabase) -> int:
    """End every session of the api role in this database, as a restart of the server would."""
    admin = await asyncpg.connect(admin_url)
    try:
        killed: int = await admin.fetchval(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = $1 AND usename = 'notify_api'",
            database.name,
        )
    finally:
        await admin.close()
    return killed


async def test_connections_closed_by_the_server_are_replaced_unnoticed(
    postgres: str, things_database: ServiceDatabase
) -> None:
    api = Database(things_database.api_url, application_name="test", pool_size=1)
    gone = asyncio.Event()
    try:
        async with api.transaction() as session:
            raw = await (await session.connection()).get_raw_connection()
            first: Any = raw.driver_connection
            first.add_termination_listener(lambda _connection: gone.set())
        assert await kill_connections(postgres, things_database) == 1
        async with asyncio.timeout(10):
            await gone.wait()
        async with api.transaction() as session:
            assert await session.scalar(text("SELECT 1")) == 1
    finally:
        await api.close()


async def test_a_connection_that_dies_under_a_request_asks_to_try_again(
    things: httpx.AsyncClient, postgres: str, things_database: ServiceDatabase
) -> None:
    asking = asyncio.create_task(things.get("/v1/things/sleep", params={"seconds": 10}))
    async with asyncio.timeout(10):
        while not await kill_connections(postgres, things_database):
            pass
    answer = await asking
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert (await things.get("/v1/things")).status_code == 200


async def test_a_full_pool_asks_to_try_again(
    things_app_with: ThingsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db._CONNECT_SECONDS", 0.2)
    client = await things_app_with(database_pool_size=1)
    busy = asyncio.create_task(client.get("/v1/things/sleep", params={"seconds": 1.5}))
    try:
        async with asyncio.timeout(10):
            while (answer := await client.get("/v1/things")).status_code != 503:
                pass
    finally:
        await busy
    assert answer.json()["code"] == "database_unavailable"


async def test_parameters_of_failing_sql_are_hidden(things_database: ServiceDatabase) -> None:
    api = Database(things_database.api_url, application_name="test")
    try:
        async with api.transaction(divisions=("331124",)) as session:
            foreign = {"id": new_id(), "division_code": "331125", "name": "secret-name"}
            with pytest.raises(DBAPIError) as raised:
                await session.execute(insert(THINGS).values(foreign))
            await session.rollback()
    finally:
        await api.close()
    assert "secret-name" not in str(raised.value)


@given(st.text(alphabet="0123456789", min_size=1, max_size=12), st.text("0123456789", max_size=12))
def test_successor_bounds_exactly_what_begins_with_the_prefix(prefix: str, other: str) -> None:
    for code in (prefix + other, other):
        assert (prefix <= code < successor(prefix)) == code.startswith(prefix)


def test_successor_of_nothing_and_of_a_nine() -> None:
    assert successor("331124") == "331125"
    assert successor("339") == "33:"
    with pytest.raises(ValueError, match="empty prefix"):
        successor("")


def test_no_divisions_compile_to_false() -> None:
    column = Table("t", MetaData(), Column("c", Text)).c.c
    assert str(in_divisions(column, ())) == "false"


def test_a_prefix_with_a_comma_is_refused() -> None:
    assert divisions_setting(("331124", "3311")) == "331124,3311"
    assert divisions_setting(()) == ""
    assert divisions_setting(("",)) == ","
    for bad in ("33,", "33%", "a", "33 "):
        with pytest.raises(ValueError, match="digits"):
            divisions_setting((bad,))


def test_libpq_addresses_are_understood() -> None:
    made = driver_url("postgresql://u:p%40@h:1/d?sslmode=require")
    assert made.drivername == "postgresql+asyncpg"
    assert made.password == "p@"
    assert dict(made.query) == {"ssl": "require"}
