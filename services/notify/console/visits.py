"""Who looks at a page: the session behind the cookie, its token verified anew on every request."""

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpx
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.notify.console import queries
from services.notify.console.oidc import Attempt, Provider
from services.notify.console.registry import Registry
from services.notify.settings import NotifySettings
from shared import crypto, logs
from shared.api import Platform
from shared.auth import Caller
from shared.errors import Forbidden, Unauthorized

SESSION_COOKIE = "bangfu_session"
ATTEMPT_COOKIE = "bangfu_signin"
_ATTEMPT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Console:
    """What the console holds while the app runs, as ``request.app.state.console``."""

    settings: NotifySettings
    provider: Provider
    registry: Registry
    client: httpx.AsyncClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a signed-in officer."""

    caller: Caller
    token: str
    key: str
    platform: Platform
    console: Console

    def transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction that sees the officer's divisions; none is open while others are asked."""
        return self.platform.database.transaction(divisions=self.caller.divisions)

    def need(self, scope: str) -> None:
        """Raises Forbidden without ``scope``."""
        if not self.caller.can(scope):
            raise Forbidden("scope_missing", f"the token lacks the scope {scope}")


Page = Callable[[Request, Visit], Awaitable[Response]]


def signed_in(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """The page for whoever is signed in; everybody else is sent to sign in and back."""

    async def answer(request: Request) -> Response:
        visit = await visit_of(request)
        if visit is not None:
            logs.bind(sub=visit.caller.sub)
            return await page(request, visit)
        where = request.url.path if request.method == "GET" else "/"
        if request.method == "GET" and request.url.query:
            where += f"?{request.url.query}"
        address = f"/signin?{urlencode({'after': where})}"
        if request.headers.get("hx-request"):
            return Response(status_code=204, headers={"HX-Redirect": address})
        return RedirectResponse(address, status_code=303)

    return answer


async def visit_of(request: Request) -> Visit | None:
    """Who sent this request; None without a session, or with one whose token has run out."""
    key = request.cookies.get(SESSION_COOKIE)
    if not key:
        return None
    platform: Platform = request.app.state.platform
    async with platform.database.transaction(divisions=()) as session:
        token = await queries.token_of(session, key)
    if token is None:
        return None
    try:
        caller = await platform.tokens.verify(token)
    except Unauthorized:
        return None
    return Visit(
        caller=caller,
        token=token,
        key=key,
        platform=platform,
        console=request.app.state.console,
    )


def refuse_foreign(request: Request) -> None:
    """A POST must come from a page of ours. Raises Forbidden (SameSite cookies say so as well)."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"} or (
        origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    ):
        raise Forbidden("foreign_origin", "the form was not sent by a page of this console")


def keep_session(answer: Response, settings: NotifySettings, key: str) -> None:
    """Give the browser the key of its session, for as long as the browser is open."""
    _set(answer, settings, SESSION_COOKIE, key, None)


def keep_attempt(answer: Response, settings: NotifySettings, attempt: Attempt) -> None:
    """Give the browser the sealed sign-in that it comes back with."""
    sealed = crypto.encrypt(json.dumps(attempt.document()), purpose=ATTEMPT_COOKIE).hex()
    _set(answer, settings, ATTEMPT_COOKIE, sealed, _ATTEMPT_SECONDS)


def attempt_of(request: Request) -> Attempt | None:
    """The sign-in under way in this browser, if it is ours and unchanged."""
    try:
        sealed = bytes.fromhex(request.cookies.get(ATTEMPT_COOKIE, ""))
        return Attempt(**json.loads(crypto.decrypt(sealed, purpose=ATTEMPT_COOKIE)))
    except (ValueError, TypeError):
        return None


def forget(answer: Response, settings: NotifySettings, *cookies: str) -> None:
    """Take cookies back."""
    for cookie in cookies:
        _set(answer, settings, cookie, "", 0)


def _set(
    answer: Response, settings: NotifySettings, cookie: str, value: str, seconds: int | None
) -> None:
    answer.set_cookie(
        cookie,
        value,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=settings.console_address.startswith("https://"),
    )
