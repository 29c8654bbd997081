"""The audit log: who, when, what, why, from where; in the deed's own transaction."""

from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from deploy.local.provision import ServiceDatabase
from shared import audit, logs
from shared.auth import Caller, system_caller
from shared.db import Database
from shared.identity import new_id

OFFICER = Caller(
    sub="account-o1", officer_id="o1", bureau="civil-affairs", unit="u", divisions=("331124",)
)


async def lines(database: ServiceDatabase) -> list[dict[str, Any]]:
    """The whole log, oldest first."""
    connection = await asyncpg.connect(database.worker_url)
    try:
        return [dict(row) for row in await connection.fetch("SELECT * FROM audit_log ORDER BY id")]
    finally:
        await connection.close()


@pytest.fixture
async def database(things_database: ServiceDatabase) -> Any:
    """The api's role."""
    made = Database(things_database.api_url, application_name="test")
    yield made
    await made.close()


async def test_a_deed_and_its_line(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    headers = {
        "X-Purpose": quote("核实低保申请\r\n7"),
        "X-Correlation-Id": "case-7",
        "User-Agent": "office/1 " + "x" * 300,
    }
    made = await things.post("/v1/things", json={"name": "a"}, headers=headers)
    (line,) = await lines(things_database)
    assert line.pop("at").utcoffset().total_seconds() == 0
    assert line.pop("id") == 1
    assert line == {
        "sub": "account-o1",
        "officer_id": "o1",
        "bureau": "civil-affairs",
        "unit": "development",
        "action": "thing.created",
        "subject_type": "thing",
        "subject_id": made.json()["id"],
        "division_code": "331124",
        "why": "核实低保申请  7",
        "from_address": "127.0.0.1",
        "user_agent": ("office/1 " + "x" * 300)[:200],
        "correlation_id": "case-7",
        "detail": None,
    }


async def test_no_deed_no_line(things: httpx.AsyncClient, things_database: ServiceDatabase) -> None:
    await things.post("/v1/things", json={"name": "a", "label": "same"})
    refused = await things.post("/v1/things", json={"name": "b", "label": "same"})
    assert refused.status_code == 409
    assert len(await lines(things_database)) == 1


async def test_many_subjects_in_one_statement(
    database: Database, things_database: ServiceDatabase
) -> None:
    people = [new_id() for _ in range(1000)]
    with logs.context(correlation_id="batch-1"):
        async with database.transaction(divisions=OFFICER.divisions) as session:
            await audit.record(
                session,
                OFFICER,
                action="person.resolved",
                subject_type="person",
                subject_id=people,
                division_code=["331124101"] * 999 + [None],
                detail={"found": 1000},
            )
            await audit.record(
                session, OFFICER, action="person.resolved", subject_type="person", subject_id=[]
            )
    written = await lines(things_database)
    assert [line["subject_id"] for line in written] == [str(person) for person in people]
    assert {line["division_code"] for line in written} == {"331124101", None}
    assert {line["correlation_id"] for line in written} == {"batch-1"}
    assert {line["detail"] for line in written} == {'{"found": 1000}'}


async def test_readers_see_their_own_divisions_lines(
    database: Database, things_database: ServiceDatabase
) -> None:
    places: list[str | None] = ["331124101", "331125", None]
    async with database.transaction(divisions=OFFICER.divisions) as session:
        await audit.record(
            session,
            OFFICER,
            action="thing.read",
            subject_type="thing",
            subject_id=["a", "b", "c"],
            division_code=places,
        )
        seen = await session.scalars(text("SELECT subject_id FROM audit_log"))
        assert list(seen) == ["a"]
    assert len(await lines(things_database)) == 3


async def test_what_looks_like_a_persons_number_does_not_get_in(
    database: Database, things_database: ServiceDatabase
) -> None:
    async with database.transaction() as session:
        await audit.record(
            session,
            system_caller("notify"),
            action="thing.read",
            subject_type="thing",
            subject_id="a",
            detail={"query": "331102199003070010", "page": 2},
        )
    (line,) = await lines(things_database)
    assert line["detail"] == '{"page": 2, "query": "[masked]"}'
    assert (line["sub"], line["officer_id"]) == ("system:notify", None)


async def test_places_and_subjects_must_match(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(ValueError, match="2 division codes for 1 subjects"):
            await audit.record(
                session,
                OFFICER,
                action="thing.read",
                subject_type="thing",
                subject_id="a",
                division_code=["1", "2"],
            )
