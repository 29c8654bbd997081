"""Templates and what surrounds every page: strict headers, and errors an officer can read.

Autoescape is on for all templates and no value is ever marked safe: what data holds stays text.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.notify.console import words
from services.notify.console.visits import Visit
from shared import clock, logs, problems

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_log = logs.get("console")
_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["words"] = words
_templates.filters |= {
    "said": lambda code, named: words.said(named, code),
    "yuan": words.yuan,
    "day": words.day,
    "month": words.month,
}


def page(template: str, visit: Visit | None, *, status: int = 200, **values: Any) -> Response:
    """A whole page from its template, with who is signed in."""
    officer = visit.caller if visit else None
    body = _templates.get_template(template).render(officer=officer, today=clock.today(), **values)
    return HTMLResponse(body, status_code=status)


def message(
    _request: Request, title: str, text: str, *, status: int = 200, again: bool = False
) -> Response:
    """A page that says one thing; with ``again`` it offers to sign in."""
    return page("message.html", None, status=status, title=title, text=text, again=again)


Endpoint = Callable[[Request], Awaitable[Response]]


def in_chinese(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose trouble becomes a Chinese page instead of the api's problem details.

    A fault of ours shows its request number and nothing else.
    """

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as error:  # noqa: BLE001 (an officer wants a page, whatever it was)
            return _trouble(request, error)

    return answer


class Edge:
    """Around each of the console's routes: names it for logs and metrics, adds the headers."""

    def __init__(self, app: ASGIApp, *, template: str) -> None:
        self._app = app
        self._route = SimpleNamespace(path=template)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope["route"] = self._route

        async def with_headers(sent: Message) -> None:
            if sent["type"] == "http.response.start":
                headers = MutableHeaders(scope=sent)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(sent)

        await self._app(scope, receive, with_headers)


def _trouble(request: Request, error: Exception) -> Response:
    problem = problems.of(error)
    if problem.status_code >= 500:
        _log.error("console.failed", problem=problem.code, exc_info=error)
    title, text = _SAID.get(problem.status_code, _SAID[500])
    text = text.format(number=logs.correlation_id())
    return message(request, title, text, status=problem.status_code)


_SAID = {
    400: ("请求有误", "地址或查询条件不正确，请返回后重试。"),
    403: ("没有权限", "您的账号没有查看这一页的权限。如工作需要，请联系本单位的系统管理员。"),
    404: ("没有找到", "没有这一条记录，或它不在您的管辖范围内。"),
    405: ("请求有误", "地址或查询条件不正确，请返回后重试。"),
    413: ("请求有误", "提交的内容过长，请缩短后重试。"),
    422: ("请求有误", "地址或查询条件不正确，请返回后重试。"),
    500: (
        "系统出错",
        "这一页暂时无法显示，没有任何数据被改动。请把请求编号告诉系统管理员：{number}",
    ),
    503: ("系统繁忙", "数据库或统一身份认证暂时无法连接，请稍后刷新本页。"),
}
