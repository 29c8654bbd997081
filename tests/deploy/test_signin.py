"""Signing in at the issuer of development: PKCE, codes that are good once, tokens that say who."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from deploy.local import issuer, signin
from tests.support.services import serving

NAME = "http://127.0.0.1:8109"
VERIFIER = "v" * 60
ASKED = {
    "response_type": "code",
    "client_id": "bangfu-console",
    "redirect_uri": "http://127.0.0.1:8106/signin/callback",
    "scope": "openid notify.figures:read",
    "state": "s1",
    "nonce": "n1",
    "code_challenge": signin.challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}
CHOSEN = ASKED | {"officer_id": "o7", "bureau": "supervision", "divisions": "331124, 331102"}
REDEEMING = {
    "grant_type": "authorization_code",
    "client_id": "bangfu-console",
    "redirect_uri": ASKED["redirect_uri"],
    "code_verifier": VERIFIER,
}


@pytest.fixture
async def client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """The issuer's app, asked over HTTP."""
    monkeypatch.setenv("BANGFU_ISSUER", NAME)
    monkeypatch.setenv("BANGFU_SIGNING_KEY", str(tmp_path / "key.pem"))
    async with serving(issuer.create()) as asked:
        yield asked


async def code(client: httpx.AsyncClient, **changes: str) -> str:
    answer = await client.post("/authorize", data=CHOSEN | changes)
    assert answer.status_code == 303, answer.text
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["s1"]
    return back["code"][0]


async def redeem(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    return await client.post("/token", data=REDEEMING | changes)


async def claims(client: httpx.AsyncClient, token: str, audience: str) -> dict[str, Any]:
    (key,) = (await client.get("/jwks.json")).json()["keys"]
    said: dict[str, Any] = jwt.decode(
        token, jwt.PyJWK(key), algorithms=["ES256"], audience=audience, issuer=NAME
    )
    return said


async def test_discovery_names_what_there_is(client: httpx.AsyncClient) -> None:
    known = (await client.get("/.well-known/openid-configuration")).json()
    assert known["issuer"] == NAME
    assert known["authorization_endpoint"] == f"{NAME}/authorize"
    assert known["grant_types_supported"] == ["authorization_code", "client_credentials"]
    assert known["code_challenge_methods_supported"] == ["S256"]
    assert "code" in known["response_types_supported"]


async def test_the_page_asks_who_to_be(client: httpx.AsyncClient) -> None:
    page = (await client.get("/authorize", params=ASKED | {"state": '"><script>'})).text
    assert "开发环境登录" in page
    assert "<script>" not in page
    for name in ("officer_id", "bureau", "divisions", "code_challenge"):
        assert f'name="{name}"' in page


async def test_a_code_becomes_tokens_that_say_who(client: httpx.AsyncClient) -> None:
    answer = await redeem(client, code=await code(client))
    assert answer.headers["Cache-Control"] == "no-store"
    tokens = answer.json()
    access = await claims(client, tokens["access_token"], "bangfu")
    assert access["officer_id"] == "o7"
    assert access["bureau"] == "supervision"
    assert access["divisions"] == ["331124", "331102"]
    assert access["scope"] == ASKED["scope"]
    identity = await claims(client, tokens["id_token"], "bangfu-console")
    assert (identity["nonce"], identity["sub"]) == ("n1", access["sub"])
    assert "scope" not in identity


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 60},
        {"code_verifier": ""},
        {"client_id": "another"},
        {"redirect_uri": "http://127.0.0.1:8106/elsewhere"},
    ],
)
async def test_what_does_not_fit_is_refused_and_spends_the_code(
    client: httpx.AsyncClient, changes: dict[str, str]
) -> None:
    good = await code(client)
    answer = await redeem(client, code=good, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await redeem(client, code=good)).status_code == 400


async def test_a_code_is_good_once_and_for_a_minute(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await code(client)
    assert (await redeem(client, code=first)).status_code == 200
    assert (await redeem(client, code=first)).status_code == 400
    assert (await redeem(client, code="made-up")).status_code == 400
    monkeypatch.setattr(signin, "CODE_SECONDS", -1.0)
    assert (await redeem(client, code=await code(client))).status_code == 400


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.test/", "http://127.0.0.1@evil.test/", "javascript:alert(1)", "http://["],
)
async def test_nobody_is_sent_off_this_machine(client: httpx.AsyncClient, elsewhere: str) -> None:
    asked = {"redirect_uri": elsewhere}
    assert (await client.get("/authorize", params=ASKED | asked)).status_code == 400
    assert (await client.post("/authorize", data=CHOSEN | asked)).status_code == 400


@pytest.mark.parametrize(
    "changes", [{"code_challenge_method": "plain"}, {"response_type": "token"}]
)
async def test_other_flows_are_refused(client: httpx.AsyncClient, changes: dict[str, str]) -> None:
    assert (await client.get("/authorize", params=ASKED | changes)).status_code == 422


async def test_client_credentials_go_on_as_before(client: httpx.AsyncClient) -> None:
    form = {"scope": "registry.households:read", "divisions": "331124", "officer_id": "o1"}
    token = (await client.post("/token", data=form)).json()["access_token"]
    said = await claims(client, token, "bangfu")
    assert (said["officer_id"], said["scope"]) == ("o1", "registry.households:read")
