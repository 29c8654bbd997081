"""What surrounds every request: its context, its log line, its metrics, and the last safety net."""

import re
import time
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import logs, problems, telemetry

CORRELATION_HEADER = "X-Correlation-Id"
PURPOSE_HEADER = "X-Purpose"
"""Why personal data is asked for; percent-encoded UTF-8; stands in the audit line."""

QUIET = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked every few seconds: logged only when they fail."""

CLIENT_GONE = 499
"""The status logged when the client left before the answer."""

_CORRELATION = CORRELATION_HEADER.lower().encode()
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_log = logs.get(__name__)


class RequestEdge:
    """Binds the request's context, answers what nothing else caught, writes the access line.

    The access line holds the route's template, status, milliseconds and the caller's ``sub``, never
    the address as sent or its query.
    """

    def __init__(self, app: ASGIApp, *, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; everything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        traceparent = headers.get("traceparent")
        with (
            logs.context(
                correlation_id=headers.get(CORRELATION_HEADER),
                traceparent=traceparent,
                origin=origin_of(scope, headers),
            ) as correlation_id,
            telemetry.request_span(scope["method"], traceparent) as span,
        ):
            answer = _Answer(send, correlation_id)
            started = time.perf_counter()
            try:
                await self._guarded(scope, receive, answer)
            finally:
                route = template_of(scope)
                telemetry.name_span(span, scope["method"], route, answer.status)
                self._finish(scope, route, answer.status, time.perf_counter() - started)

    async def _guarded(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            _log.exception("request.failed", route=template_of(scope))
            if answer.begun:
                # half an answer is out: only a broken connection tells the client so
                raise
            await problems.answer(problems.of(error))(scope, receive, answer)

    def _finish(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        method = scope["method"]
        telemetry.observe_request(self._service, method, route, status, seconds)
        if route in QUIET and status < 400:
            return
        _log.info(
            "request.done", method=method, route=route, status=status, ms=round(seconds * 1000, 1)
        )


class _Answer:
    """The way out: notes the status and adds the correlation id."""

    def __init__(self, send: Send, correlation_id: str) -> None:
        self._send = send
        self._correlation_id = correlation_id
        self.status = CLIENT_GONE
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self.status = message["status"]
            ours = (_CORRELATION, self._correlation_id.encode())
            message = {**message, "headers": [*message["headers"], ours]}
        await self._send(message)


def template_of(scope: Scope) -> str:
    """The route's path template, or ``unmatched``."""
    return getattr(scope.get("route"), "path", None) or telemetry.UNMATCHED


def origin_of(scope: Scope, headers: Headers) -> logs.Origin:
    """Why and from where, for the audit; cut to a sane length, without control characters."""
    client = scope.get("client")
    return logs.Origin(
        why=_plain(unquote(headers.get(PURPOSE_HEADER, ""), errors="replace"), 200),
        from_address=client[0] if client else None,
        user_agent=_plain(headers.get("user-agent", ""), 200),
    )


def _plain(text: str, most: int) -> str | None:
    return _CONTROL.sub(" ", text).strip()[:most] or None
