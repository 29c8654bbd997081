"""Signing in and out. The browser comes back from the provider with a code, never with a token."""

import hmac

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.notify.console import actions, visits
from services.notify.console.oidc import REFUSED, Attempt, SignInError, expiry_of
from services.notify.console.rendering import message
from services.notify.console.visits import Console
from shared.api import Platform
from shared.errors import Problem

CALLBACK = "/signin/callback"


async def signin(request: Request) -> Response:
    """Off to the provider."""
    console: Console = request.app.state.console
    attempt = Attempt.begin(_own_page(request.query_params.get("after", "/")))
    try:
        address = await console.provider.address(attempt, _callback(console))
    except SignInError as failed:
        return message(request, "无法登录", failed.zh, status=503, again=True)
    answer = RedirectResponse(address, status_code=303)
    visits.keep_attempt(answer, console.settings, attempt)
    return answer


async def callback(request: Request) -> Response:
    """Back from the provider: the code is redeemed and a session begins."""
    console: Console = request.app.state.console
    attempt = visits.attempt_of(request)
    state = request.query_params.get("state", "")
    code = request.query_params.get("code", "")
    if attempt is None or not hmac.compare_digest(state.encode(), attempt.state.encode()):
        return message(
            request, "无法登录", "这次登录已经过期，请重新登录。", status=400, again=True
        )
    try:
        key = await _begin(request, attempt, code)
    except SignInError as failed:
        answer = message(request, "无法登录", failed.zh, status=403, again=True)
    except Problem:
        answer = message(request, "无法登录", REFUSED, status=403, again=True)
    else:
        answer = RedirectResponse(attempt.after, status_code=303)
        visits.keep_session(answer, console.settings, key)
    visits.forget(answer, console.settings, visits.ATTEMPT_COOKIE)
    return answer


async def signout(request: Request) -> Response:
    """The session ends here and now, whoever else may hold its cookie."""
    visits.refuse_foreign(request)
    visit = await visits.visit_of(request)
    if visit is not None:
        async with visit.transaction() as session:
            await actions.end_session(session, visit.caller, visit.key)
    answer = RedirectResponse("/signed-out", status_code=303)
    visits.forget(answer, request.app.state.console.settings, visits.SESSION_COOKIE)
    return answer


async def signed_out(request: Request) -> Response:
    """The page one stands on afterwards."""
    return message(request, "已退出", "您已安全退出帮扶控制台。", again=True)


async def _begin(request: Request, attempt: Attempt, code: str) -> str:
    platform: Platform = request.app.state.platform
    console: Console = request.app.state.console
    if not code:
        raise SignInError(REFUSED)
    token = await console.provider.redeem(attempt, code, _callback(console))
    caller = await platform.tokens.verify(token)
    async with platform.database.transaction(divisions=caller.divisions) as session:
        return await actions.begin_session(
            session, caller, token=token, expires_at=expiry_of(token)
        )


def _callback(console: Console) -> str:
    return console.settings.console_address + CALLBACK


def _own_page(after: str) -> str:
    """A page of ours to go on with; an address elsewhere is none."""
    plain = after.startswith("/") and not after.startswith(("//", "/\\", "/signin"))
    return after if plain and after.isprintable() else "/"
