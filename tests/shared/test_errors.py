"""Every way a request can go wrong ends in problem details; bad input is never a 500."""

import json
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from deploy.local.provision import ServiceDatabase
from shared import errors, problems
from shared.db import Database, driver_of
from shared.errors import Fault, Problem
from tests.shared.test_idempotency import count

ID = UUID(int=7)
JSON = {"Content-Type": "application/json"}


def checked(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, whole and of this code."""
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert set(document) == set(problems.SCHEMA["required"])
    assert (answer.status_code, document["code"]) == (status, code)
    assert document["status"] == status
    assert document["type"] == f"urn:bangfu:problem:{code}"
    assert document["instance"] == f"urn:bangfu:request:{answer.headers['x-correlation-id']}"
    return document


async def test_every_fault_of_a_request_is_listed(things: httpx.AsyncClient) -> None:
    body = {"name": 7, "label": ["x"], "size": "many"}
    answer = await things.post("/v1/things", json=body)
    document = checked(answer, 422, "request_invalid")
    assert {(fault["where"], fault["code"]) for fault in document["errors"]} == {
        ("#/name", "string_type"),
        ("#/label", "string_type"),
        ("#/size", "int_parsing"),
    }
    assert "many" not in answer.text, "the input is not sent back"


async def test_where_a_fault_is(things: httpx.AsyncClient) -> None:
    answer = await things.get("/v1/things", params={"limit": "0", "cursor": "x"})
    (fault,) = checked(answer, 422, "request_invalid")["errors"]
    assert fault["where"] == "query/limit"
    answer = await things.put("/v1/things/x", json={"name": "a"}, headers={"If-Match": '"1"'})
    (fault,) = checked(answer, 422, "request_invalid")["errors"]
    assert fault["where"] == "path/thing_id"


def test_a_json_pointer_escapes_what_it_must() -> None:
    error = {"loc": ("body", "a/b", 0, "c~d"), "type": "missing", "msg": "Field required"}
    problem = problems._of_validation([error])
    assert problem.faults == (Fault("#/a~1b/0/c~0d", "missing", "Field required"),)


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": NaN}',
        b'{"name": "a", "size": Infinity}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": ',
        b"[" * 100_000,
        b'{"name": "a"} x',
        b"\xef\xbb\xbf{}",
    ],
    ids=["NaN", "Infinity", "UTF-8", "surrogate", "cut", "deep", "more", "BOM"],
)
async def test_what_is_not_json(things: httpx.AsyncClient, body: bytes) -> None:
    answer = await things.post("/v1/things", content=body, headers=JSON)
    document = checked(answer, 400, "body_not_json")
    assert document["errors"][0]["where"] == "#"


async def test_a_body_of_another_kind(things: httpx.AsyncClient) -> None:
    answer = await things.post(
        "/v1/things", content=b"name=a", headers={"Content-Type": "text/plain"}
    )
    checked(answer, 422, "request_invalid")
    answer = await things.post("/v1/things", content=b"")
    checked(answer, 422, "request_invalid")


@pytest.mark.parametrize(
    ("thing", "status", "code"),
    [
        ({"name": "a\0b"}, 422, "value_unstorable"),
        ({"name": "a", "size": 2**31}, 422, "value_unstorable"),
        ({"name": "a", "size": 10**25}, 422, "request_invalid"),
        ({"name": "forbidden"}, 422, "constraint_violated"),
        ({"name": "taken"}, 409, "already_exists"),
        ({"name": "a", "division_code": "9"}, 403, "division_not_covered"),
    ],
    ids=["NUL", "out of int4", "out of reason", "check", "unique", "division"],
)
async def test_what_the_database_refuses(
    things: httpx.AsyncClient,
    things_database: ServiceDatabase,
    thing: dict[str, Any],
    status: int,
    code: str,
) -> None:
    await things.post("/v1/things", json={"name": "taken"})
    answer = await things.post("/v1/things", json=thing)
    document = checked(answer, status, code)
    assert "things" not in document["detail"], "no inner text"
    assert await count(things_database) == 1


async def test_a_missing_grant_is_a_fault_of_ours(things: httpx.AsyncClient) -> None:
    checked(await things.get("/v1/things/ungranted"), 500, "internal_error")


async def test_a_crash_tells_nothing_but_its_id(things: httpx.AsyncClient) -> None:
    answer = await things.get("/v1/things/crash", headers={"X-Correlation-Id": "case-7"})
    document = checked(answer, 500, "internal_error")
    assert document["instance"] == "urn:bangfu:request:case-7"
    assert "13800138000" not in answer.text
    assert "RuntimeError" not in answer.text


async def test_routes_that_are_not_there(things: httpx.AsyncClient) -> None:
    checked(await things.get("/v1/nothing"), 404, "route_unknown")
    answer = await things.delete("/v1/things")
    checked(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


async def test_a_body_that_says_it_is_too_large(things: httpx.AsyncClient) -> None:
    body = json.dumps({"name": "a" * 100_001}).encode()
    checked(await things.post("/v1/things", content=body, headers=JSON), 413, "body_too_large")


async def test_a_body_that_grows_too_large(
    things: httpx.AsyncClient, things_database: ServiceDatabase
) -> None:
    sent = 0

    async def chunks() -> Any:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b"a" * 50_000

    answer = await things.post("/v1/things", content=chunks(), headers=JSON)
    checked(answer, 413, "body_too_large")
    assert await count(things_database) == 0


async def test_a_route_may_take_more(things: httpx.AsyncClient) -> None:
    answer = await things.post("/v1/things/large", content=b"a" * 3_000_000)
    assert answer.json() == 3_000_000
    answer = await things.post("/v1/things/large", content=b"a" * 4_000_001)
    checked(answer, 413, "body_too_large")
    answer = await things.post(
        "/v1/things/upload", data={"note": "n"}, files={"file": b"a" * 100_001}
    )
    checked(answer, 413, "body_too_large")


def test_statuses_of_the_kinds() -> None:
    more: dict[type, dict[str, Any]] = {errors.TooMany: {"retry_after": 1}}
    kinds = errors._Fixed.__subclasses__()

    found = {kind: kind("c", "d", **more.get(kind, {})).status_code for kind in kinds}

    assert found == {
        errors.BadRequest: 400,
        errors.Unauthorized: 401,
        errors.Forbidden: 403,
        errors.NotFound: 404,
        errors.Conflict: 409,
        errors.PreconditionFailed: 412,
        errors.TooLarge: 413,
        errors.Refused: 422,
        errors.PreconditionRequired: 428,
        errors.TooMany: 429,
        errors.TryAgain: 503,
    }


@pytest.mark.parametrize(
    ("sqlstate", "status"),
    [
        ("23503", 409),
        ("23502", 422),
        ("23P01", 409),
        ("22003", 422),
        ("40001", 503),
        ("40P01", 503),
        ("57014", 503),
        ("57P01", 503),
        ("53300", 503),
        ("08006", 503),
        ("42P01", 500),
        ("XX000", 500),
    ],
)
def test_what_postgresql_means(sqlstate: str, status: int) -> None:
    class Refusal(Exception):  # noqa: N818 - stands for the driver's own
        pass

    refusal = Refusal("Key (phone)=(13800138000) exists")
    refusal.sqlstate = sqlstate  # type: ignore[attr-defined]  # as the driver's errors have
    problem = problems.of(ProgrammingError("SELECT", {}, refusal))
    assert problem.status_code == status
    assert "13800138000" not in str(problem.body("i"))


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (asyncpg.PostgresConnectionError, 503, "database_unavailable"),
        (asyncpg.ConnectionDoesNotExistError, 503, "database_unavailable"),
        (asyncpg.ConnectionFailureError, 503, "database_unavailable"),
        (asyncpg.CannotConnectNowError, 503, "database_unavailable"),
        (asyncpg.AdminShutdownError, 503, "database_unavailable"),
        (asyncpg.CrashShutdownError, 503, "database_unavailable"),
        (asyncpg.TooManyConnectionsError, 503, "database_unavailable"),
        (asyncpg.DiskFullError, 503, "database_unavailable"),
        (asyncpg.ReadOnlySQLTransactionError, 503, "database_unavailable"),
        (asyncpg.IdleInTransactionSessionTimeoutError, 503, "database_unavailable"),
        (asyncpg.InternalClientError, 503, "database_unavailable"),
        (asyncpg.SerializationError, 503, "try_again"),
        (asyncpg.DeadlockDetectedError, 503, "try_again"),
        (asyncpg.LockNotAvailableError, 503, "try_again"),
        (asyncpg.QueryCanceledError, 503, "try_again"),
        (asyncpg.UniqueViolationError, 409, "already_exists"),
        (asyncpg.ExclusionViolationError, 409, "already_exists"),
        (asyncpg.ForeignKeyViolationError, 409, "reference_missing"),
        (asyncpg.CheckViolationError, 422, "constraint_violated"),
        (asyncpg.NotNullViolationError, 422, "constraint_violated"),
        (asyncpg.CharacterNotInRepertoireError, 422, "value_unstorable"),
        (asyncpg.InsufficientPrivilegeError, 500, "internal_error"),
        (asyncpg.UndefinedTableError, 500, "internal_error"),
    ],
)
def test_what_the_driver_raises_past_sqlalchemy(
    kind: type[Exception], status: int, code: str
) -> None:
    problem = problems.of(kind("Key (phone)=(13800138000) exists"))
    assert (problem.status_code, problem.code) == (status, code)
    assert "13800138000" not in str(problem.body("i"))


@pytest.mark.parametrize(
    ("statement", "values", "code"),
    [
        ("SELECT $1::int", (), "internal_error"),
        ("SELECT $1::int", (2**31,), "value_unstorable"),
        ("SELECT $1::text", ("a\0b",), "value_unstorable"),
        (
            "INSERT INTO things (id, division_code, name) VALUES ($1, '9', 'a')",
            (ID,),
            "division_not_covered",
        ),
    ],
    ids=["argument count", "out of int4", "NUL", "division"],
)
async def test_a_statement_that_the_driver_refuses(
    things_database: ServiceDatabase, statement: str, values: tuple[object, ...], code: str
) -> None:
    api = Database(things_database.api_url, application_name="test")
    try:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - which one is what is asked
            async with api.transaction(divisions=("331124",)) as session:
                await driver_of(session).fetch(statement, *values)
    finally:
        await api.close()
    assert problems.of(raised.value).code == code


@pytest.mark.parametrize("through", ["driver", "session"])
async def test_a_closed_connection_is_no_fault_of_ours(
    things_database: ServiceDatabase, through: str
) -> None:
    api = Database(things_database.api_url, application_name="test")

    async def lose() -> None:
        async with api.transaction() as session:
            driver_of(session).terminate()
            if through == "driver":
                await driver_of(session).fetchval("SELECT 1")
            else:
                await session.execute(text("SELECT 1"))

    try:
        with pytest.raises((asyncpg.InterfaceError, DBAPIError)) as raised:
            await lose()
    finally:
        await api.close()
    problem = problems.of(raised.value)
    assert (problem.status_code, problem.code) == (503, "database_unavailable")


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError()])
def test_no_database(error: Exception) -> None:
    problem = problems.of(error)
    assert (problem.status_code, problem.code) == (503, "database_unavailable")


def test_a_problem_is_an_exception_with_a_readable_text() -> None:
    problem = Problem(418, "teapot", "A teapot", "short and stout", faults=[Fault("#", "c", "m")])
    assert str(problem) == "418: short and stout"
    assert problem.body("i")["errors"] == [{"where": "#", "code": "c", "message": "m"}]
