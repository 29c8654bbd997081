"""Asking the registry with the officer's own token; the console stores nothing of the answer.

The registry masks names and numbers itself, unless the token says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from shared import logs

SECONDS = 4.0
_PURPOSE = "帮扶控制台查询"
_log = logs.get("console.registry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the registry said; where it said nothing, ``missing`` tells the officer why."""

    data: Any = None
    missing: str | None = None


class Registry:
    """The registry's API as one officer at a time sees it."""

    def __init__(self, client: httpx.AsyncClient, address: str) -> None:
        self._client = client
        self._address = address.rstrip("/")

    async def household(self, token: str, household_id: UUID) -> Answer:
        """One household with its members."""
        return await self._ask("GET", f"/v1/households/{household_id}", token)

    async def households(self, token: str, wanted: Mapping[str, str]) -> Answer:
        """Households by division, category and state."""
        return await self._ask("GET", "/v1/households", token, params=dict(wanted))

    async def search(self, token: str, wanted: Mapping[str, str]) -> Answer:
        """Households by a member's name or ID number; both stay out of the address."""
        return await self._ask("POST", "/v1/households/search", token, json=dict(wanted))

    async def _ask(self, method: str, path: str, token: str, **content: Any) -> Answer:
        if not self._address:
            return Answer(missing="本系统没有配置家庭档案的地址（BANGFU_REGISTRY_URL）。")
        headers = {
            "Authorization": f"Bearer {token}",
            "X-Purpose": quote(_PURPOSE),
            "X-Correlation-Id": logs.correlation_id(),
        }
        try:
            answer = await self._client.request(
                method, self._address + path, headers=headers, timeout=SECONDS, **content
            )
            return _read(answer)
        except (httpx.HTTPError, ValueError) as failed:
            _log.warning("registry.unreachable", error=type(failed).__name__)
            return Answer(missing="家庭档案系统暂时无法连接，姓名、成员和家庭情况稍后再看。")


def _read(answer: httpx.Response) -> Answer:
    if answer.is_success:
        return Answer(data=answer.json())
    if answer.status_code in _SAID:
        return Answer(missing=_SAID[answer.status_code])
    if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
        code = answer.json().get("code", "")
        said = "身份证号码不正确，请核对后再查。" if code.startswith("id_number") else _UNREADABLE
        return Answer(missing=said)
    return Answer(missing="家庭档案系统暂时出错，姓名、成员和家庭情况稍后再看。")


_UNREADABLE = "查询条件不正确，请修改后再查。"
_SAID = {
    400: _UNREADABLE,
    401: "家庭档案系统没有认可这次登录，请重新登录。",
    403: "您的账号没有查看家庭档案的权限。",
    404: "家庭档案系统里没有这一户，或不在您的管辖范围内。",
}
