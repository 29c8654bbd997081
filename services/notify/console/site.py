"""The console's addresses, mounted beside the api: pages for browsers, no part of OpenAPI.

They ask for no bearer token: each page but those of signing in sends whoever has no session to the
OIDC provider.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from services.notify.console import announcements, families, overview, signin
from services.notify.console.oidc import Provider
from services.notify.console.registry import Registry
from services.notify.console.rendering import HERE, Edge, Endpoint, in_chinese
from services.notify.console.visits import Console, signed_in
from services.notify.settings import NotifySettings

_MOST_BODY = 20_000
_SECONDS = 5.0


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """What the console holds from the app's start to its end."""
    settings = app.state.platform.settings
    if not isinstance(settings, NotifySettings):
        raise TypeError("the console is part of notify")
    async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
        app.state.console = Console(
            settings=settings,
            provider=Provider(
                client, issuer=settings.signin_issuer, client_id=settings.console_client_id
            ),
            registry=Registry(client, settings.registry_url),
            client=client,
        )
        yield


def add_pages(app: FastAPI) -> None:
    """Add the pages and their static files; call it last, so that the api's routes come first."""
    app.router.routes.extend(_routes())


def _routes() -> list[Route]:
    return [
        _route("/", signed_in(overview.overview)),
        _route("/households", signed_in(families.households)),
        _route("/households", signed_in(families.search), method="POST"),
        _route("/households/{household_id}", signed_in(families.household)),
        _route("/notices", signed_in(announcements.notices)),
        _route("/notices/{notice_id}", signed_in(announcements.notice)),
        _route("/signin", signin.signin),
        _route(signin.CALLBACK, signin.callback),
        _route("/signout", signin.signout, method="POST"),
        _route("/signed-out", signin.signed_out),
        _route("/static/{path:path}", _static),
    ]


def _route(path: str, endpoint: Endpoint, *, method: str = "GET") -> Route:
    return Route(
        path,
        in_chinese(endpoint),
        methods=[method],
        include_in_schema=False,
        middleware=[Middleware(Edge, template=path)],
        max_body_size=_MOST_BODY,
    )


_files = StaticFiles(directory=HERE / "static")


async def _static(request: Request) -> Response:
    """A file of our own: the browser asks again whether it has changed."""
    answer = await _files.get_response(request.path_params["path"], request.scope)
    answer.headers["Cache-Control"] = "no-cache"
    return answer
