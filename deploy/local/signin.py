"""Signing in at the development issuer: the authorization code flow with PKCE (RFC 6749, 7636).

Whoever reaches the page picks who to be. Codes live a minute and are good once; only addresses of
this machine are sent back to.
"""

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from html import escape
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from deploy.local.tokens import LIFETIME, Signer

CODE_SECONDS = 60.0
BUREAUS = {
    "civil-affairs": "民政局",
    "poverty-alleviation": "农办（扶贫办）",
    "construction": "建设局",
    "education": "教育局",
    "human-resources": "人力社保局",
    "supervision": "督查室",
    "township": "乡镇（街道）",
}
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class AuthorizationRequest(BaseModel):
    """What a client sends a browser to /authorize with; only the code flow with S256 is known."""

    response_type: str = Field(pattern="^code$")
    client_id: str = Field(min_length=1, max_length=200)
    redirect_uri: str = Field(max_length=2000)
    scope: str = Field(default="openid", max_length=4000)
    state: str = Field(default="", max_length=2000)
    nonce: str = Field(default="", max_length=2000)
    code_challenge: str = Field(min_length=43, max_length=128)
    code_challenge_method: str = Field(pattern="^S256$")


class Choice(AuthorizationRequest):
    """The same with who the person at the browser wants to be."""

    officer_id: str = Field(min_length=1, max_length=100)
    bureau: str = Field(max_length=100)
    divisions: str = Field(max_length=1000)


@dataclass(frozen=True, slots=True)
class _Grant:
    choice: Choice
    expires: float


class SignIn:
    """The codes handed out and not yet redeemed, in memory: a restart forgets them."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._grants: dict[str, _Grant] = {}

    def page(self, asked: AuthorizationRequest) -> Response:
        """The page on which one picks who to be."""
        if not _is_here(asked.redirect_uri):
            return HTMLResponse("redirect_uri 只能是本机地址", status_code=400)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(str(value))}">'
            for name, value in asked.model_dump().items()
        )
        bureaus = "".join(
            f'<option value="{code}">{name}</option>' for code, name in BUREAUS.items()
        )
        return HTMLResponse(_PAGE.format(hidden=hidden, bureaus=bureaus))

    def choose(self, choice: Choice) -> Response:
        """Back to the client with a code."""
        if not _is_here(choice.redirect_uri):
            return HTMLResponse("redirect_uri 只能是本机地址", status_code=400)
        code = secrets.token_urlsafe(32)
        self._grants = {
            known: grant
            for known, grant in self._grants.items()
            if grant.expires > time.monotonic()
        }
        self._grants[code] = _Grant(choice, time.monotonic() + CODE_SECONDS)
        answer = urlencode({"code": code, "state": choice.state})
        mark = "&" if urlsplit(choice.redirect_uri).query else "?"
        return RedirectResponse(f"{choice.redirect_uri}{mark}{answer}", status_code=303)

    def redeem(self, *, code: str, client_id: str, redirect_uri: str, verifier: str) -> Response:
        """The tokens for a code, once. Whatever does not fit spends the code as well."""
        grant = self._grants.pop(code, None)
        if grant is None or grant.expires <= time.monotonic():
            return _refused("the code is unknown, spent or older than a minute")
        choice = grant.choice
        if (client_id, redirect_uri) != (choice.client_id, choice.redirect_uri):
            return _refused("the code belongs to another client or redirect_uri")
        if not hmac.compare_digest(challenge_of(verifier), choice.code_challenge):
            return _refused("the code_verifier does not fit the code_challenge")
        return JSONResponse(self._tokens(choice), headers={"Cache-Control": "no-store"})

    def _tokens(self, choice: Choice) -> dict[str, Any]:
        officer = choice.officer_id
        divisions = choice.divisions.replace(",", " ").split()
        said = {"bureau": choice.bureau}
        about = said | {"aud": choice.client_id, "nonce": choice.nonce or None, "scope": None}
        return {
            "access_token": self._signer.sign(
                scopes=choice.scope.split(), officer=officer, divisions=divisions, claims=said
            ),
            "id_token": self._signer.sign(
                scopes=(), officer=officer, divisions=divisions, claims=about
            ),
            "token_type": "Bearer",
            "expires_in": int(LIFETIME.total_seconds()),
            "scope": choice.scope,
        }


def add_routes(app: FastAPI, signin: SignIn) -> None:
    """/authorize, asked by a browser and answered by its form."""

    async def ask(asked: Annotated[AuthorizationRequest, Query()]) -> Response:
        return signin.page(asked)

    async def choose(_request: Request, choice: Annotated[Choice, Form()]) -> Response:
        return signin.choose(choice)

    app.get("/authorize")(ask)
    app.post("/authorize")(choose)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier, as RFC 7636 writes it."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _is_here(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    plain = parts.scheme in {"http", "https"} and "@" not in parts.netloc
    return plain and parts.hostname in _HERE


def _refused(description: str) -> Response:
    return JSONResponse(
        {"error": "invalid_grant", "error_description": description}, status_code=400
    )


_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>开发环境登录</title>
<style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f3f5f7;
  font: 16px/1.6 "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  color: #1d2733; }}
form {{ width: min(24rem, 90vw); background: #fff; border: 1px solid #d8dee5; border-radius: 8px;
  padding: 28px; box-sizing: border-box; }}
h1 {{ font-size: 1.25rem; margin: 0 0 4px; }}
p {{ margin: 0 0 20px; color: #5a6673; font-size: 14px; }}
label {{ display: block; margin-bottom: 14px; font-size: 14px; color: #3b4753; }}
input, select {{ display: block; width: 100%; box-sizing: border-box; margin-top: 4px;
  padding: 8px 10px; font: inherit; border: 1px solid #b8c2cc;
  border-radius: 4px; background: #fff; }}
button {{ width: 100%; padding: 10px; font: inherit; color: #fff; background: #1b5a8a; border: 0;
  border-radius: 4px; cursor: pointer; }}
</style></head>
<body><form method="post" action="/authorize">
<h1>开发环境登录</h1>
<p>仅限本机开发使用，不核对身份。正式环境使用市里的统一身份认证。</p>
{hidden}
<label>工号<input name="officer_id" value="officer-1" required autofocus></label>
<label>单位<select name="bureau">{bureaus}</select></label>
<label>管辖区划代码（多个用逗号分开）<input name="divisions" value="331124" required></label>
<button>登录</button>
</form></body></html>
"""
