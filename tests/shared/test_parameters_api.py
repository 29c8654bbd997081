"""Policy parameters over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import httpx
import pytest

from deploy.local.provision import ServiceDatabase
from shared import api, divisions, parameters
from tests.conftest import DatabaseOf, SettingsOf
from tests.shared.bureau import COUNTY, DEFINITIONS, VILLAGE
from tests.support.places import load_divisions
from tests.support.services import serving
from tests.support.tokens import Tokens


@pytest.fixture
async def service(database_of: DatabaseOf) -> ServiceDatabase:
    """A service's database with Lishui's divisions."""
    fresh = await database_of("education")
    await load_divisions(fresh)
    return fresh


@pytest.fixture
async def app(
    service: ServiceDatabase, settings_of: SettingsOf, tokens: Tokens
) -> AsyncIterator[Any]:
    """Makes clients of an app that owns the definitions above."""
    settings = settings_of("education", service)
    routers = [parameters.router("education", DEFINITIONS), divisions.router()]
    made = api.create_app(settings, title="parameters under test", routers=routers)
    async with AsyncExitStack() as held:

        async def client(verbs: str, *, who: str = "anne", **rights: Any) -> httpx.AsyncClient:
            scopes = [f"education.parameters:{verb}" for verb in verbs.split()]
            headers = tokens.headers(scopes=scopes, officer=who, **rights)
            return await held.enter_async_context(serving(made, headers=headers))

        yield client


BODY = {
    "key": "dibao_line",
    "division_code": COUNTY,
    "valid_from": "2027-01-01",
    "value": "1150.00",
    "document_number": "松民〔2026〕1号",
}


async def test_from_entry_to_force_over_http(app: Any) -> None:
    anne, bo = await app("read write"), await app("read approve", who="bo")
    entered = await anne.post("/v1/parameters", json=BODY)
    assert (entered.status_code, entered.json()["approved_by"]) == (201, None)
    path = f"/v1/parameters/{entered.json()['parameter_id']}"
    approved = await bo.post(f"{path}/approve")
    assert approved.json()["approved_by"] == "bo"
    assert (await anne.get(path)).json() == approved.json()
    query = {"key": "dibao_line", "division": VILLAGE, "on": "2027-06-01"}
    (held,) = (await anne.get("/v1/parameters", params=query)).json()["items"]
    assert Decimal(held["value"]) == Decimal(1150)
    before = query | {"on": "2026-12-31"}
    assert (await anne.get("/v1/parameters", params=before)).json()["items"] == []


async def test_the_same_entry_sent_twice_is_entered_once(app: Any) -> None:
    anne = await app("read write")
    key = {"Idempotency-Key": "one"}
    first, second = [
        (await anne.post("/v1/parameters", json=BODY, headers=key)).json() for _ in range(2)
    ]
    assert first == second
    assert len((await anne.get("/v1/parameters")).json()["items"]) == 1


async def test_lists_page_through_all_rows_waiting_ones_included(app: Any) -> None:
    anne = await app("read write")
    for year in range(2027, 2034):
        answer = await anne.post("/v1/parameters", json=BODY | {"valid_from": f"{year}-01-01"})
        assert answer.status_code == 201
    seen: list[str] = []
    query: dict[str, Any] = {"key": "dibao_line", "division": COUNTY, "limit": 3}
    while True:
        page = (await anne.get("/v1/parameters", params=query)).json()
        seen += [item["valid_from"][:4] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == [str(year) for year in range(2027, 2034)]


@pytest.mark.parametrize(
    ("verbs", "method", "path"),
    [
        ("write approve", "GET", "/v1/parameters"),
        ("write approve", "GET", "/v1/parameters/820a844c-a264-4a8b-9b8c-9b79041d023b"),
        ("read approve", "POST", "/v1/parameters"),
        ("read write", "POST", "/v1/parameters/820a844c-a264-4a8b-9b8c-9b79041d023b/approve"),
    ],
)
async def test_every_route_asks_for_its_scope(app: Any, verbs: str, method: str, path: str) -> None:
    client = await app(verbs)
    answer = await client.request(method, path, json=BODY if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": "NaN"},
        {"value": "1.00001"},
        {"value": "12345678901234567"},
        {"valid_from": "2027-02-30"},
        {"division_code": "3311"},
        {"division_code": "３３１１２４"},
        {"document_number": " "},
        {"surprise": 1},
    ],
)
async def test_what_is_no_entry_is_refused_with_its_fault(app: Any, wrong: dict[str, Any]) -> None:
    answer = await (await app("write")).post("/v1/parameters", json=BODY | wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == f"#/{next(iter(wrong))}"


async def test_what_holds_needs_a_place_and_an_unknown_id_is_not_found(app: Any) -> None:
    client = await app("read approve")
    answer = await client.get("/v1/parameters", params={"on": "2027-01-01"})
    assert (answer.status_code, answer.json()["code"]) == (422, "division_missing")
    for answer in (
        await client.get("/v1/parameters/820a844c-a264-4a8b-9b8c-9b79041d023b"),
        await client.post("/v1/parameters/820a844c-a264-4a8b-9b8c-9b79041d023b/approve"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "parameter_unknown")
