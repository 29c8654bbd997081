"""The HTTP side of every service: one way to build an app, a router and a route.

Guaranteed for every route: a bearer token (but for the few marked PUBLIC), problem details, a
bounded body; for every POST that writes, idempotency in the transaction of the write.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import Message

from shared import asyncapi, clock, crypto, health, idempotency, logs, problems, public, telemetry
from shared.auth import Requires, Tokens
from shared.db import Database, open_session
from shared.errors import TooLarge
from shared.middleware import RequestEdge
from shared.paging import (
    MOST_ITEMS,
    IfMatch,
    Limit,
    Page,
    decode_cursor,
    encode_cursor,
    etag,
    expected_version,
)
from shared.settings import Settings

__all__ = [
    "MOST_ITEMS",
    "BangfuRoute",
    "IfMatch",
    "Limit",
    "Page",
    "Platform",
    "create_app",
    "decode_cursor",
    "encode_cursor",
    "etag",
    "expected_version",
    "router",
]

READ_ONLY = "x-read-only"
"""``openapi_extra={"x-read-only": True}``: a POST that only asks; its key is ignored."""
MAX_BODY = "x-max-body-bytes"
"""``openapi_extra={"x-max-body-bytes": n}``: a route with its own limit on the body."""

PUBLIC = "x-public"
"""``openapi_extra={"x-public": True}``: a route without a token, as narrow as public.py says."""

_SELDOM = (50_000, 20, 20)
NO_NATIVE_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
}
"""FastAPI's own spans and logs would carry addresses with their query; telemetry.py makes ours."""
_KEY_PARAMETER = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": True,
    "description": "A new random value for every new request; the same one to send it again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}

Hook = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Platform:
    """What a running app holds, as ``request.app.state.platform``."""

    settings: Settings
    database: Database
    tokens: Tokens


class BoundedRequest(Request):
    """A request whose body is bounded while it streams in, and whose JSON is strict.

    Strict: NaN, broken UTF-8, lone surrogates and deep nesting are not JSON.
    """

    def __init__(self, request: Request, most_bytes: int) -> None:
        super().__init__(request.scope, self._bounded)
        self._unbounded = request.receive
        self._most_bytes = most_bytes
        self._seen_bytes = 0
        declared = request.headers.get("content-length", "")
        self._declared_bytes = int(declared) if declared.isdecimal() else 0

    async def _bounded(self) -> Message:
        if self._declared_bytes > self._most_bytes:
            raise self._too_large()
        message = await self._unbounded()
        self._seen_bytes += len(message.get("body", b""))
        if self._seen_bytes > self._most_bytes:
            raise self._too_large()
        return message

    def _too_large(self) -> TooLarge:
        return TooLarge("body_too_large", f"the body may have {self._most_bytes:,} bytes here")

    async def json(self) -> Any:
        """The body as JSON. Raises orjson.JSONDecodeError, a json.JSONDecodeError."""
        if not hasattr(self, "_json"):
            self._json = orjson.loads(await self.body())
        return self._json


class BangfuRoute(APIRoute):
    """A route with a bounded body and, for a POST that writes, idempotency."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        extra = dict(options.pop("openapi_extra", None) or {})
        self.most_bytes: int | None = extra.get(MAX_BODY)
        self.public = bool(extra.get(PUBLIC, False))
        self.once = "POST" in (options.get("methods") or ()) and not extra.get(READ_ONLY, False)
        if self.once:
            extra["parameters"] = [*extra.get("parameters", ()), _KEY_PARAMETER]
        super().__init__(path, endpoint, openapi_extra=extra or None, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, between the bounded body and the kept answer.

        It runs inside the session that the handler opens, which commits after this returns.
        """
        handle = super().get_route_handler()

        async def handler(plain: Request) -> Response:
            platform: Platform = plain.app.state.platform
            request = BoundedRequest(plain, self.most_bytes or platform.settings.max_body_bytes)
            if not self.once:
                return await handle(request)
            guard = request.state.guard = idempotency.Once(request)
            try:
                answer = await handle(request)
            except idempotency.RepeatedError as repeated:
                return repeated.answer
            await guard.keep(answer)
            return answer

        return handler


def router(prefix: str = "", *, tags: Sequence[str] = ()) -> APIRouter:
    """A router for one capability; its routes are BangfuRoutes and document their problems."""
    return APIRouter(
        prefix=prefix, tags=list(tags), route_class=BangfuRoute, responses=problems.RESPONSES
    )


def create_app(
    settings: Settings,
    *,
    title: str,
    routers: Sequence[APIRouter],
    hooks: Sequence[Hook] = (),
) -> FastAPI:
    """The app of one service. ``hooks`` are entered at its start and left at its end.

    Raises MissingSettingsError, and RuntimeError for a route that asks for no token or a POST that
    could not keep its answer: such an app must not start.
    """
    settings.need("api_database_url", "jwks_url", "token_issuer")
    logs.configure(settings.service, settings.log_level)
    crypto.configure(settings.key_file, settings.field_cipher)
    clock.configure(settings.clock_file, settings.env)
    platform = _platform(settings)
    app = FastAPI(
        title=title,
        version="1",
        docs_url="/docs" if settings.env == "development" else None,
        redoc_url=None,
        lifespan=_lifespan(platform, hooks),
        middleware=[Middleware(RequestEdge, service=settings.service)],
        telemetry=NO_NATIVE_TELEMETRY,
    )
    app.state.platform = platform
    problems.install(app)
    for each in routers:
        # not included: FastAPI looks twice through what is included, at every request
        app.router.routes.extend(each.routes)
    _refuse_unsafe(app)
    app.include_router(health.router(settings.service))
    app.include_router(asyncapi.router())
    return app


def _platform(settings: Settings) -> Platform:
    database = Database(
        settings.api_database_url,
        application_name=f"{settings.service}-api",
        pool_size=settings.database_pool_size,
        statement_timeout_ms=settings.statement_timeout_ms,
        lock_timeout_ms=settings.lock_timeout_ms,
    )
    tokens = Tokens(
        jwks_url=settings.jwks_url, issuer=settings.token_issuer, audience=settings.token_audience
    )
    return Platform(settings, database, tokens)


def _lifespan(
    platform: Platform, hooks: Sequence[Hook]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # what a request makes is gone at its end, with hardly a cycle to look for: by default the
        # looking is a tenth of a read's processor time
        gc.set_threshold(*_SELDOM)
        tracing = telemetry.configure(platform.settings.service)
        async with AsyncExitStack() as held:
            held.push_async_callback(platform.database.close)
            if tracing is not None:
                held.push_async_callback(asyncio.to_thread, tracing.shutdown)
            for hook in hooks:
                await held.enter_async_context(hook(app))
            yield

    return lifespan


def _refuse_unsafe(app: FastAPI) -> None:
    for route in iter_route_contexts(app.routes):
        plain = route.original_route
        if not isinstance(plain, APIRoute):
            continue
        calls = _calls(route.dependant)
        _refuse_open(route.path, plain, calls)
        works = {open_session, public.open_public_session} & calls
        once = isinstance(plain, BangfuRoute) and plain.once and works
        asks = isinstance(plain, BangfuRoute) and not plain.once
        if "POST" in (route.methods or ()) and not (once or asks):
            raise RuntimeError(
                f"POST {route.path} cannot keep its answer: use api.router and SessionDep, or "
                f"mark it {READ_ONLY}"
            )
        if route.path != plain.path:
            # logs and metrics name a route by the path it was written with
            raise RuntimeError(f"{route.path}: give the prefix to its router, not to the inclusion")


def _refuse_open(path: str | None, route: APIRoute, calls: set[Any]) -> None:
    """Refuse a route without a token, unless it is a public one and as narrow as those are."""
    asks = any(isinstance(call, Requires) for call in calls)
    if not (isinstance(route, BangfuRoute) and route.public):
        if not asks:
            raise RuntimeError(f"{path} asks for no token: depend on requires(...)")
        if public.open_public_session in calls or (path or "").startswith(public.PREFIX):
            raise RuntimeError(f"{path} is not marked {PUBLIC}: public routes alone may be so")
        return
    narrow = (
        (path or "").startswith(public.PREFIX)
        and route.methods == {"POST"}
        and 0 < (route.most_bytes or 0) <= public.MOST_BYTES
        and not asks
        and open_session not in calls
        and public.open_public_session in calls
    )
    if not narrow:
        raise RuntimeError(
            f"{path} is too wide for a public route: shared/public.py says how narrow"
        )


def _calls(dependant: Dependant) -> set[Any]:
    found = {dependant.call}
    for inner in dependant.dependencies:
        found |= _calls(inner)
    return found
