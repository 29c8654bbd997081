"""Apps, routes, pages, versions, readiness and metrics."""

import base64
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, Depends
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.provision import ServiceDatabase
from shared import api, crypto, health
from shared.auth import Caller, current_caller, requires
from shared.db import SessionDep
from shared.errors import BadRequest
from shared.identity import new_id
from shared.settings import MissingSettingsError
from tests.shared.conftest import ThingsClient
from tests.support.services import SettingsOf, Surroundings


async def test_a_list_pages_by_cursor(things: httpx.AsyncClient) -> None:
    names = [f"n{number:02}" for number in range(7)]
    for name in reversed(names):
        await things.post("/v1/things", json={"name": name})
    seen: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await things.get("/v1/things", params=params)).json()
        seen.append([item["name"] for item in page["items"]])
        cursor = page["next_cursor"]
    assert seen == [names[:3], names[3:6], names[6:]]


@pytest.mark.usefixtures("surroundings")
def test_a_cursor_hides_and_keeps_its_values() -> None:
    person = new_id()
    cursor = api.encode_cursor(["张三", person, 7, None])
    assert "张" not in cursor
    assert cursor.isascii()
    assert "=" not in cursor
    assert api.decode_cursor(cursor, str, UUID, int, type(None)) == ("张三", person, 7, None)


@pytest.mark.usefixtures("surroundings")
def test_a_cursor_of_another_making_is_refused() -> None:
    good = api.encode_cursor(["a", 7])
    other = crypto.encrypt_bytes(b'["a", 7]', purpose="another")
    foreign = base64.urlsafe_b64encode(other).rstrip(b"=").decode()
    spoilt = [_spoilt(good, at=at) for at in (0, len(good) // 2, len(good) - 8)]
    broken = ["", "x", "é", good[:-4], *spoilt, good + "AAAA", foreign]
    for cursor in broken:
        with pytest.raises(BadRequest, match="next_cursor"):
            api.decode_cursor(cursor, str, int)
    others: list[tuple[type, ...]] = [(str,), (int, str), (str, UUID)]
    for types in others:
        with pytest.raises(BadRequest):
            api.decode_cursor(good, *types)


def _spoilt(cursor: str, *, at: int) -> str:
    """The cursor with another letter at one place, whatever letter chance had put there."""
    other = "A" if cursor[at] != "A" else "B"
    return cursor[:at] + other + cursor[at + 1 :]


@pytest.mark.usefixtures("surroundings")
@given(st.text(max_size=200))
def test_no_cursor_is_a_crash(cursor: str) -> None:
    with pytest.raises(BadRequest):
        api.decode_cursor(cursor, str)


async def test_a_bad_cursor_is_a_400(things: httpx.AsyncClient) -> None:
    answer = await things.get("/v1/things", params={"cursor": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_unreadable")


@pytest.mark.parametrize(
    ("if_match", "status", "code"),
    [
        (None, 428, "if_match_missing"),
        ("*", 400, "if_match_unreadable"),
        ("7a", 400, "if_match_unreadable"),
        ('"1", "2"', 400, "if_match_unreadable"),
        ('"-1"', 400, "if_match_unreadable"),
        ('"9999999999999999999"', 400, "if_match_unreadable"),
        ('"7"', 404, "thing_unknown"),
        ('W/"7"', 404, "thing_unknown"),
    ],
)
async def test_a_change_says_what_it_was_made_from(
    things: httpx.AsyncClient, if_match: str | None, status: int, code: str
) -> None:
    headers = {} if if_match is None else {"If-Match": if_match}
    answer = await things.put(f"/v1/things/{new_id()}", json={"name": "b"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_version_reaches_the_route(things: httpx.AsyncClient) -> None:
    made = await things.post("/v1/things", json={"name": "a"})
    answer = await things.put(
        made.headers["Location"], json={"name": "b"}, headers={"If-Match": made.headers["ETag"]}
    )
    assert answer.json()["version"] == 2
    assert api.etag(7) == '"7"'


def app_with(settings_of: SettingsOf, surroundings: Surroundings, router: APIRouter) -> Any:
    """An app that need not be started."""
    nowhere = ServiceDatabase(
        name="x", owner_url="", api_url="postgresql://h/d", worker_url="postgresql://h/d"
    )
    return api.create_app(settings_of("notify", nowhere), title="T", routers=[router])


def test_a_route_without_a_token_stops_the_start(
    settings_of: SettingsOf, surroundings: Surroundings
) -> None:
    router = api.router("/v1/open")

    @router.get("")
    async def naked() -> None: ...

    with pytest.raises(RuntimeError, match="/v1/open asks for no token"):
        app_with(settings_of, surroundings, router)


def test_a_post_that_cannot_keep_its_answer_stops_the_start(
    settings_of: SettingsOf, surroundings: Surroundings
) -> None:
    router = api.router("/v1/forgetful")

    @router.post("")
    async def forgetful(_caller: Annotated[Caller, requires("x")]) -> None: ...

    with pytest.raises(RuntimeError, match="POST /v1/forgetful cannot keep its answer"):
        app_with(settings_of, surroundings, router)


def test_a_plain_router_cannot_sneak_past(
    settings_of: SettingsOf, surroundings: Surroundings
) -> None:
    router = APIRouter()

    @router.post("/v1/plain")
    async def plain(_caller: Annotated[Caller, Depends(current_caller)]) -> None: ...

    with pytest.raises(RuntimeError, match="POST /v1/plain cannot keep its answer"):
        app_with(settings_of, surroundings, router)


def test_a_plain_post_with_a_session_is_not_idempotent_either(
    settings_of: SettingsOf, surroundings: Surroundings
) -> None:
    router = APIRouter()

    @router.post("/v1/plain")
    async def plain(
        _session: SessionDep, _caller: Annotated[Caller, Depends(current_caller)]
    ) -> None: ...

    with pytest.raises(RuntimeError, match="POST /v1/plain cannot keep its answer"):
        app_with(settings_of, surroundings, router)


def test_a_prefix_given_at_the_inclusion_stops_the_start(
    settings_of: SettingsOf, surroundings: Surroundings
) -> None:
    inner, outer = api.router("/things"), api.router()

    @inner.get("")
    async def thing(_caller: Annotated[Caller, requires("x")]) -> None: ...

    outer.include_router(inner, prefix="/v1")
    with pytest.raises(RuntimeError, match="/v1/things: give the prefix to its router"):
        app_with(settings_of, surroundings, outer)


def test_missing_settings_stop_the_start_and_are_named(
    settings_of: SettingsOf, surroundings: Surroundings
) -> None:
    nowhere = ServiceDatabase(name="x", owner_url="", api_url="", worker_url="")
    settings = settings_of("notify", nowhere, jwks_url="")
    with pytest.raises(
        MissingSettingsError, match="BANGFU_API_DATABASE_URL, BANGFU_JWKS_URL"
    ) as refused:
        api.create_app(settings, title="T", routers=[])
    assert "TOKEN_ISSUER" not in str(refused.value)


async def test_openapi_tells_of_keys_problems_and_tokens(things: httpx.AsyncClient) -> None:
    document = (await things.get("/openapi.json")).json()
    post = document["paths"]["/v1/things"]["post"]
    assert [p["name"] for p in post["parameters"]] == ["Idempotency-Key"]
    assert "application/problem+json" in post["responses"]["default"]["content"]
    assert "422" not in post["responses"], "FastAPI's own error shape is not what we send"
    assert post["security"] == [{"HTTPBearer": []}]
    search = document["paths"]["/v1/things/search"]["post"]
    assert "parameters" not in search
    assert "/livez" not in document["paths"]


async def test_ready_when_the_database_is(things: httpx.AsyncClient) -> None:
    del things.headers["Authorization"]
    assert (await things.get("/livez")).json() == {"status": "alive"}
    assert (await things.get("/readyz")).json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", 200),
        ("DELETE FROM alembic_version", 503),
        ("DROP TABLE alembic_version", 503),
    ],
    ids=["migrated ahead", "emptied", "never migrated"],
)
async def test_not_ready_before_the_migrations(
    things: httpx.AsyncClient, things_database: ServiceDatabase, change: str, status: int
) -> None:
    owner = await asyncpg.connect(things_database.owner_url)
    await owner.execute(change)
    await owner.close()
    answer = await things.get("/readyz")
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["code"] == "database_not_migrated"


async def test_alive_and_not_ready_without_a_database(things_app_with: ThingsClient) -> None:
    client = await things_app_with(api_database_url="postgresql://nobody:x@127.0.0.1:1/none")
    assert (await client.get("/livez")).status_code == 200
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unreachable")
    answer = await client.get("/v1/things")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


async def test_a_database_that_hangs_is_not_waited_for(
    things: httpx.AsyncClient, things_database: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "READY_SECONDS", 0.2)
    owner = await asyncpg.connect(things_database.owner_url)
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
            answer = await things.get("/readyz")
    finally:
        await owner.close()
    assert answer.status_code == 503


async def test_metrics_count_by_template(things: httpx.AsyncClient) -> None:
    secret = new_id()
    await things.put(f"/v1/things/{secret}", json={"name": "b"}, headers={"If-Match": '"1"'})
    await things.get(f"/nowhere/{secret}")
    await things.request("BREW", "/v1/things")
    text = (await things.get("/metrics")).text
    put = 'method="PUT",route="/v1/things/{thing_id}",service="notify"'
    assert f'bangfu_http_requests_total{{{put},status="404"}}' in text
    assert f'bangfu_http_request_duration_seconds_bucket{{le="0.005",{put}}}' in text
    assert 'route="unmatched"' in text
    assert 'method="OTHER"' in text
    assert "BREW" not in text
    assert str(secret) not in text
