"""Turns whatever ended a request into problem details: our own problems, FastAPI's, PostgreSQL's.

Bad input never becomes a 500, a fault of ours never shows its inner text.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared import logs
from shared.errors import BadRequest, Conflict, Fault, Forbidden, Problem, Refused, TryAgain

MEDIA_TYPE = "application/problem+json"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "code": {"type": "string", "description": "Stable; what a program should look at."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "code", "message"],
                "properties": {name: {"type": "string"} for name in ("where", "code", "message")},
            },
        },
    },
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Problem details (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": SCHEMA}},
    }
}
"""What every route's OpenAPI says about its errors."""

_HTTP_CODES = {
    400: ("body_unreadable", "The request cannot be read"),
    404: ("route_unknown", "Not found"),
    405: ("method_not_allowed", "Method not allowed"),
    413: ("body_too_large", "The request is too large"),
    415: ("media_type_unsupported", "Media type not supported"),
}
_BODYLESS = frozenset({204, 304})
_log = logs.get(__name__)


def install(app: FastAPI) -> None:
    """Answer every exception that has a meaning of its own; the middleware takes the rest."""
    for kind in (
        HTTPException,
        RequestValidationError,
        DBAPIError,
        PoolTimeoutError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        ConnectionError,
        TimeoutError,
    ):
        app.add_exception_handler(kind, _handle)


async def _handle(_request: Request, error: Exception) -> Response:
    problem = of(error)
    if not isinstance(error, HTTPException | RequestValidationError):
        level = _log.error if problem.status_code >= 500 else _log.info
        level("request.refused_by_database", problem=problem.code, exc_info=error)
    return answer(problem)


def answer(problem: Problem) -> Response:
    """The response that carries ``problem``; its instance is this request's correlation id."""
    logs.bind(problem=problem.code)
    body = b""
    if problem.status_code not in _BODYLESS:
        body = orjson.dumps(problem.body(logs.correlation_id()))
    return Response(
        body,
        status_code=problem.status_code,
        media_type=MEDIA_TYPE,
        headers=dict(problem.headers or {}),
    )


def of(error: Exception) -> Problem:
    """The problem that ``error`` is to the caller."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return _of_http(error)
        case RequestValidationError():
            return _of_validation(error.errors())
        case DBAPIError() | asyncpg.PostgresError() | asyncpg.InterfaceError():
            return _of_database(error)
        case (
            PoolTimeoutError() | ConnectionError() | TimeoutError() | asyncpg.InternalClientError()
        ):
            return TryAgain("database_unavailable", "the database cannot be reached just now")
        case _:
            return _internal()


def _internal() -> Problem:
    return Problem(
        500,
        "internal_error",
        "A fault of ours",
        "The request was not carried out and nothing of it was kept. The operators find what "
        "happened under the id in `instance`.",
    )


def _of_http(error: HTTPException) -> Problem:
    status = error.status_code
    code, title = _HTTP_CODES.get(status, (f"http_{status}", "The request was not carried out"))
    return Problem(status, code, title, str(error.detail), headers=error.headers)


def _of_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    faults = [_fault(error) for error in errors]
    if any(error["type"] == "json_invalid" for error in errors):
        return BadRequest("body_not_json", "the body is not valid JSON", faults=faults)
    return Problem(
        422,
        "request_invalid",
        "The request breaks the API's description",
        f"{len(faults)} fault(s); `errors` lists every one",
        faults=faults,
    )


def _fault(error: Mapping[str, Any]) -> Fault:
    place, *path = error["loc"]
    if error["type"] == "json_invalid":
        # the position instead of a pointer: what is not JSON has no members
        return Fault("#", "json_invalid", f"at character {path[0] if path else 0}")
    if place == "body":
        where = "#" + "".join(f"/{_escaped(step)}" for step in path)
    else:
        where = "/".join(str(step) for step in (place, *path))
    return Fault(where, str(error["type"]), str(error["msg"]))


def _escaped(step: object) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def _of_database(error: Exception) -> Problem:
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    sqlstate = getattr(cause, "sqlstate", None) or ""
    if sqlstate == "42501":
        # a missing grant has the same code and is our own fault
        return _hidden_division() if "row-level security" in str(cause) else _internal()
    for prefix, problem in _BY_SQLSTATE.items():
        if sqlstate.startswith(prefix):
            return problem()
    if sqlstate:
        return _internal()
    return _without_sqlstate(error)


def _without_sqlstate(error: Exception) -> Problem:
    """What the driver refused by itself, or a connection that broke."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return TryAgain("database_unavailable", "the database closed the connection")
    if isinstance(error, InterfaceError | OperationalError) and "connection" in str(error.orig):
        return TryAgain("database_unavailable", "the connection to the database broke")
    if isinstance(error, asyncpg.InterfaceError):
        return _of_driver(error)
    if isinstance(error, DBAPIError) and isinstance(error.orig, Exception):
        return _unstorable()
    return _internal()


def _of_driver(error: asyncpg.InterfaceError) -> Problem:
    """What asyncpg says of a statement past SQLAlchemy: mostly that we use it wrongly."""
    if "connection is closed" in str(error):  # it has no class and no code for this
        return TryAgain("database_unavailable", "the database closed the connection")
    return _internal()


def _hidden_division() -> Problem:
    return Forbidden("division_not_covered", "the token's divisions do not cover this place")


def _unstorable() -> Problem:
    return Refused(
        "value_unstorable",
        "a value cannot be stored: a number out of range, or a character such as NUL in a text",
    )


def _taken() -> Problem:
    return Conflict("already_exists", "something with the same identity is stored already")


def _missing_reference() -> Problem:
    return Conflict("reference_missing", "the request names something that is not stored")


def _against_constraint() -> Problem:
    return Refused("constraint_violated", "a value breaks a rule of what is stored")


def _try_again() -> Problem:
    return TryAgain("try_again", "the database is busy with the same rows: send the request again")


def _unavailable() -> Problem:
    return TryAgain("database_unavailable", "the database cannot be reached just now")


_BY_SQLSTATE = {
    "23505": _taken,
    "23P01": _taken,
    "23503": _missing_reference,
    "23": _against_constraint,
    "22": _unstorable,
    "25006": _unavailable,
    "25P03": _unavailable,
    "54": _unstorable,
    "57014": _try_again,
    "55P03": _try_again,
    "40": _try_again,
    "08": _unavailable,
    "53": _unavailable,
    "57P": _unavailable,
}
