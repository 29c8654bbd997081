"""Log lines: what stands in them and, above all, what never does."""

import json
import logging
import signal
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from deploy.local.provision import ServiceDatabase
from shared import logs
from shared.scrubbing import MASK, describe_exception, holds_personal_number, scrub
from tests.support.builders import id_number
from tests.support.running import running
from tests.support.services import SettingsOf
from tests.support.tokens import Tokens

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def configured(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines go to the stdout that this test captures."""
    logs.configure("notify", "INFO")


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines so far, each one JSON object."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def test_one_line_a_request(
    things: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await things.get("/v1/things", params={"cursor": "", "limit": 7, "x": "李四"})
    assert answer.status_code == 400
    (line,) = [each for each in written(capsys) if each["event"] == "request.done"]
    assert line.pop("ms") > 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request.done",
        "level": "info",
        "logger_name": "shared.middleware",
        "service": "notify",
        "method": "GET",
        "route": "/v1/things",
        "status": 400,
        "sub": "account-o1",
        "problem": "cursor_unreadable",
        "correlation_id": answer.headers["x-correlation-id"],
    }


async def test_probes_are_quiet(
    things: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        await things.get(path)
    assert [line for line in written(capsys) if line["event"] == "request.done"] == []


async def test_one_requests_caller_does_not_colour_the_next(
    things: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await things.get("/v1/things")
    await things.get("/v1/things", headers={"Authorization": ""})
    first, second = [line for line in written(capsys) if line["event"] == "request.done"]
    assert "sub" in first
    assert "sub" not in second
    assert "problem" not in first


async def test_a_crash_is_logged_without_what_it_knew(
    things: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await things.get("/v1/things/crash")
    text = capsys.readouterr().out
    for secret in ("331102199003070010", "13800138000", "张三丰", "李四", "secret_of_the_frame"):
        assert secret not in text
    (line,) = [each for each in map(json.loads, text.splitlines()) if "exception" in each]
    assert line["event"] == "request.failed"
    (described,) = line["exception"]
    assert described["type"] == "builtins.RuntimeError"
    assert described["frames"][-1].endswith(" crash")


async def test_a_row_that_the_database_refuses_is_not_quoted(
    things: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await things.post("/v1/things", json={"name": "Wang Xiaoming"})
    for body in (
        {"name": "Wang Xiaoming"},
        {"name": "forbidden", "label": "Li Xiaohong"},
        {"name": "Zhao Min", "size": 10**12},
        {"name": "Sun Wei", "division_code": "9"},
        {"name": "Zhou \0 Jie"},
    ):
        assert (await things.post("/v1/things", json=body)).status_code >= 400
    text = capsys.readouterr().out
    assert "uq_things_name" in text, "operators see which constraint"
    for secret in ("Wang", "Xiaohong", "Zhao", "Sun", "Zhou", "1000000000000"):
        assert secret not in text


async def test_what_a_client_sends_gets_into_no_line(
    things: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    number = id_number()
    await things.post("/v1/things", json={"name": number, "label": "Qian Duo"})
    await things.get(f"/v1/things/{number}", params={"q": number})
    await things.get(f"/{number}", headers={"X-Purpose": number, "User-Agent": "Qian Duo"})
    text = capsys.readouterr().out
    assert number not in text
    assert "Qian" not in text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("0194f3c2-7d1e-7a2b-9c3d-4e5f60718293", True),
        ("case:7_a.b", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("two words", False),
        ("", False),
        ("331102199003070010", False),
        ("id-331102199003070010", False),
        ("13800138000", False),
        ("a\u00e9", False),
    ],
)
def test_correlation_ids(sent: str, kept: bool) -> None:
    with logs.context(correlation_id=sent) as chosen:
        assert (chosen == sent) is kept
        assert logs.correlation_id() == chosen
        assert chosen


def test_traceparent_and_origin_hold_inside_only() -> None:
    origin = logs.Origin(why="w")
    with logs.context(traceparent=TRACE, origin=origin):
        assert logs.traceparent() == TRACE
        assert logs.origin() == origin
        with logs.context():
            assert logs.traceparent() is None
            assert logs.origin() == logs.Origin()
        assert logs.origin() == origin
    assert logs.traceparent() is None
    for broken in (
        "x",
        TRACE.upper(),
        "00-" + "0" * 32 + TRACE[35:],
        TRACE + "-1",
        "ff" + TRACE[2:],
    ):
        with logs.context(traceparent=broken):
            assert logs.traceparent() is None


def test_libraries_lines_are_json_and_scrubbed(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("some.library").warning("phone %s of %s", "13800138000", 331102199003070010)
    logging.getLogger("uvicorn.access").info("GET /?id=331102199003070010")
    logging.getLogger("httpx").info("GET http://h/?x=1")
    (line,) = written(capsys)
    assert line["event"] == f"phone {MASK} of {MASK}"
    assert line["logger_name"] == "some.library"
    assert line["level"] == "warning"


def test_fields_are_scrubbed_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    deep: Any = "331102199003070010"
    for _ in range(20):
        deep = [deep]
    logs.get("t").info(
        "thing.done", person={"numbers": ["331102199003070010"]}, key=331102199003070010, deep=deep
    )
    assert "331102" not in capsys.readouterr().out


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("notify", "WARNING")
    logs.get("t").info("thing.done")
    logging.getLogger("t").info("x")
    assert written(capsys) == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("331102199003070010", MASK),
        ("33110219900307001X", MASK),
        ("33110219900307001x", MASK),
        ("３３１１０２１９９００３０７００１０", MASK),
        ("331102900307001", MASK),
        ("6222020200112233445", MASK),
        ("号13800138000。", f"号{MASK}。"),
        ("id_331102199003070010", f"id_{MASK}"),
        ("331124101201", "331124101201"),
        ("2026-11-23T21:00:00.123456Z", "2026-11-23T21:00:00.123456Z"),
        ("0194f3c2-7d1e-7a2b-9c3d-138001380001", "0194f3c2-7d1e-7a2b-9c3d-138001380001"),
        ("12345678901", "12345678901"),
        ("23800138000", "23800138000"),
    ],
)
def test_what_is_masked(text: str, masked: str) -> None:
    assert scrub(text) == masked
    assert holds_personal_number(text) is (text != masked)


@given(st.dates(date(1900, 1, 1)), st.integers(0, 999), st.text(max_size=20))
def test_no_id_number_survives(born: date, order: int, around: str) -> None:
    number = id_number(born=born, order=order)
    assert number not in scrub(f"{around} {number} {around}")


class Person(BaseModel):
    """Something whose validation error would quote its input."""

    age: int


def test_an_exception_is_described_without_its_inputs() -> None:
    try:
        Person.model_validate({"age": "张三丰"})
    except ValidationError as error:
        described = describe_exception(error)
    assert "张三丰" not in json.dumps(described, ensure_ascii=False)
    taken = asyncpg.UniqueViolationError("duplicate key\nDETAIL:  Key (name)=(Wang) exists.")
    assert describe_exception(taken)[0]["message"] == "duplicate key"
    error_chain = RuntimeError("outer")
    error_chain.__cause__ = KeyError("inner")
    assert [each["message"] for each in describe_exception(error_chain)] == ["outer", "'inner'"]


def test_context_is_bound_to_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    with logs.context(correlation_id="c-1"):
        logs.get("t").info("thing.done")
        logs.bind(sub="s")
    logs.get("t").info("thing.done")
    first, second = written(capsys)
    assert first["correlation_id"] == "c-1"
    assert "correlation_id" not in second
    assert "sub" not in second


async def test_a_real_servers_every_line_is_json_and_holds_no_address(
    things_database: ServiceDatabase, settings_of: SettingsOf, tokens: Tokens, tmp_path: Path
) -> None:
    settings = settings_of("notify", things_database)
    headers = tokens.headers(scopes=["notify.jobs:read"])
    async with running(settings, tmp_path) as server, httpx.AsyncClient(headers=headers) as client:
        await server.start_api()
        address = f"http://127.0.0.1:{settings.api_port}"
        answer = await client.get(f"{address}/v1/divisions", params={"name": "secret"})
        await client.get(f"{address}/secret?secret")
        # uvicorn shuts down in order and then dies of the same signal
        assert server.stop("api") in {0, -signal.SIGTERM}
    text = server.log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    routes = [line["route"] for line in lines if line["event"] == "request.done"]
    assert routes == ["/v1/divisions", "unmatched"]
    assert answer.headers["x-correlation-id"] in text
    assert "secret" not in text
    assert {line["service"] for line in lines} == {"notify"}
