"""Signing in at the provider and out again: state, nonce, PKCE, sessions that end."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.notify.console.oidc import SCOPES as ASKED
from services.notify.console.visits import ATTEMPT_COOKIE, SESSION_COOKIE
from shared.db import Database
from tests.notify.console.conftest import VisitorOf
from tests.notify.timelines.support import rows

PAGES = ("/", "/households", "/notices", "/households/x", "/notices/x")
WHO = {"officer_id": "o7", "bureau": "civil-affairs", "divisions": "331124"}


async def begin(office: httpx.AsyncClient, after: str = "/") -> dict[str, str]:
    """Asks to sign in; what the provider is asked for."""
    answer = await office.get("/signin", params={"after": after})
    assert answer.status_code == 303
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in asked.items()}


async def choose(issuer: str, asked: dict[str, str], **who: str) -> dict[str, str]:
    """Picks who to be at the issuer; what it sends the browser back with."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.post(f"{issuer}/authorize", data=asked | WHO | who)
    assert answer.status_code == 303, answer.text
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == asked["redirect_uri"]
    return {name: values[0] for name, values in parse_qs(back.query).items()}


@pytest.mark.parametrize("path", PAGES)
async def test_a_stranger_is_sent_to_sign_in_and_back(
    stranger: httpx.AsyncClient, path: str
) -> None:
    answer = await stranger.get(path)
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"after": [path]}


async def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(
    stranger: httpx.AsyncClient,
) -> None:
    answer = await stranger.post("/households", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/signin?after=%2F")


async def test_signing_in_opens_the_page_that_was_asked_for(
    office: httpx.AsyncClient, issuer: str, worker: Database
) -> None:
    asked = await begin(office, "/notices?state=running")
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["scope"] == ASKED
    answer = await office.get("/signin/callback", params=await choose(issuer, asked))
    assert (answer.status_code, answer.headers["location"]) == (303, "/notices?state=running")
    cookies = answer.headers.get_list("set-cookie")
    (session,) = (each for each in cookies if each.startswith(SESSION_COOKIE))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    page = await office.get("/notices?state=running")
    assert page.status_code == 200
    assert "o7" in page.text
    actions = await rows(worker, "SELECT action, officer_id FROM audit_log ORDER BY id")
    assert actions[0] == {"action": "console.signed_in", "officer_id": "o7"}


async def test_the_database_holds_neither_key_nor_token(
    office: httpx.AsyncClient, issuer: str, worker: Database
) -> None:
    asked = await begin(office)
    await office.get("/signin/callback", params=await choose(issuer, asked))
    (kept,) = await rows(worker, "SELECT * FROM console_sessions")
    key = office.cookies[SESSION_COOKIE]
    assert key.encode() not in kept["key_hash"] + kept["token_encrypted"]
    assert b"eyJ" not in kept["token_encrypted"]


async def test_an_answer_to_another_browser_s_question_is_refused(
    office: httpx.AsyncClient, issuer: str
) -> None:
    asked = await begin(office)
    back = await choose(issuer, asked)
    for wrong in ({**back, "state": "other"}, {"code": back["code"]}):
        answer = await office.get("/signin/callback", params=wrong)
        assert answer.status_code == 400
        assert SESSION_COOKIE not in answer.cookies
    office.cookies.delete(ATTEMPT_COOKIE)
    answer = await office.get("/signin/callback", params=back)
    assert answer.status_code == 400


async def test_an_id_token_of_another_sign_in_is_refused(
    office: httpx.AsyncClient, issuer: str
) -> None:
    asked = await begin(office)
    back = await choose(issuer, asked, nonce="another")
    answer = await office.get("/signin/callback", params=back)
    assert answer.status_code == 403
    assert "请重新登录" in answer.text
    assert (await office.get("/")).status_code == 303


async def test_a_code_is_good_once(office: httpx.AsyncClient, issuer: str) -> None:
    asked = await begin(office)
    back = await choose(issuer, asked)
    kept = office.cookies[ATTEMPT_COOKIE]
    assert (await office.get("/signin/callback", params=back)).status_code == 303
    office.cookies.clear()
    office.cookies.set(ATTEMPT_COOKIE, kept)
    assert (await office.get("/signin/callback", params=back)).status_code == 403


async def test_a_provider_s_refusal_is_told(office: httpx.AsyncClient) -> None:
    asked = await begin(office)
    back = {"error": "access_denied", "state": asked["state"]}
    answer = await office.get("/signin/callback", params=back)
    assert answer.status_code == 403
    assert "无法登录" in answer.text


@pytest.mark.parametrize(
    "elsewhere", ["//evil.test", "https://evil.test", "/\\evil.test", "evil", "/signin", "/a\nb"]
)
async def test_nobody_is_sent_elsewhere_afterwards(
    office: httpx.AsyncClient, issuer: str, elsewhere: str
) -> None:
    asked = await begin(office, elsewhere)
    answer = await office.get("/signin/callback", params=await choose(issuer, asked))
    assert answer.headers["location"] == "/"


async def test_without_its_provider_the_console_says_so(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/signin")
    assert answer.status_code == 503
    assert "统一身份认证暂时无法连接" in answer.text


async def test_signing_out_ends_the_session_whoever_holds_its_cookie(
    visitor_of: VisitorOf, worker: Database
) -> None:
    visitor = await visitor_of()
    key = visitor.cookies[SESSION_COOKIE]
    assert (await visitor.get("/")).status_code == 200
    answer = await visitor.post("/signout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signed-out")
    assert "已安全退出" in (await visitor.get("/signed-out")).text
    visitor.cookies.set(SESSION_COOKIE, key)
    assert (await visitor.get("/")).status_code == 303
    assert await rows(worker, "SELECT * FROM console_sessions") == []


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_form_of_another_site_is_refused(
    visitor_of: VisitorOf, headers: dict[str, str]
) -> None:
    visitor = await visitor_of()
    for path in ("/signout", "/households"):
        assert (await visitor.post(path, headers=headers)).status_code == 403
    assert (await visitor.get("/")).status_code == 200


async def test_a_session_that_is_over_and_a_key_that_is_none(visitor_of: VisitorOf) -> None:
    visitor = await visitor_of(lasts=timedelta(seconds=-1))
    assert (await visitor.get("/")).status_code == 303
    visitor.cookies.set(SESSION_COOKIE, "made-up")
    assert (await visitor.get("/")).status_code == 303


async def test_a_token_that_is_over_ends_the_session(visitor_of: VisitorOf) -> None:
    visitor = await visitor_of(exp=1_700_000_000)
    assert (await visitor.get("/")).status_code == 303


async def test_the_next_sign_in_removes_sessions_that_are_over(
    visitor_of: VisitorOf, worker: Database
) -> None:
    await visitor_of(lasts=timedelta(seconds=-1))
    await visitor_of()
    assert len(await rows(worker, "SELECT * FROM console_sessions")) == 1
