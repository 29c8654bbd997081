"""How the sources are asked over HTTP: one port for all of them, questions out, answers polled.

``POST <url>/v1/sources/<source>/queries`` takes questions by case number and reference and may be
sent twice; ``POST …/answers`` gives what is known of them by now.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson

from services.registry.verification.sources import Source

_SECONDS = 10.0
TOO_LARGE = 20_000_000


class SourceDownError(ConnectionError):
    """The source does not answer, or not sensibly: it passes, and waiting helps."""


class SourceRefusedError(RuntimeError):
    """The source says no to the whole batch: only an operator can help."""


class SourceClient:
    """The address of the sources' gateway and the file with its token."""

    def __init__(self, url: str, token_file: Path | None = None) -> None:
        self._url = url.rstrip("/")
        self._token_file = token_file

    async def send(self, source: Source, queries: Sequence[dict[str, Any]]) -> None:
        """Hand in questions. Raises SourceDownError and SourceRefusedError: none was taken."""
        await self._post(f"/v1/sources/{source.value}/queries", {"queries": list(queries)})

    async def fetch(self, source: Source, asked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """What the source says of these questions by now, in any order; some may be left out.

        Raises SourceDownError and SourceRefusedError.
        """
        answer = await self._post(f"/v1/sources/{source.value}/answers", {"asked": list(asked)})
        found = answer.get("answers") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise SourceDownError("the source's answer holds no list of answers")
        return [each for each in found if isinstance(each, dict)]

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            async with (
                httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client,
                client.stream("POST", self._url + path, json=body, headers=self._headers()) as told,
            ):
                _taken(told.status_code)
                return _json(await _read(told))
        except httpx.HTTPError as down:
            raise SourceDownError("the source does not answer") from down

    def _headers(self) -> dict[str, str]:
        """Read every time: a new token needs no restart. An empty file: no token."""
        if self._token_file is None:
            return {}
        try:
            token = self._token_file.read_text().strip()
        except OSError as unreadable:
            raise SourceDownError("the file of the sources' token cannot be read") from unreadable
        return {"Authorization": f"Bearer {token}"} if token else {}


def _taken(status: int) -> None:
    """Raises what a status other than a success means."""
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        raise SourceDownError(f"the source answered {status}")
    if not httpx.codes.is_success(status):
        raise SourceRefusedError(f"source_refused_{status}")


async def _read(answer: httpx.Response) -> bytes:
    """The body, given up as soon as it is too large: its length may be untold, or a lie."""
    content = bytearray()
    async for part in answer.aiter_bytes():
        content += part
        if len(content) > TOO_LARGE:
            raise SourceDownError("the source's answer is too large")
    return bytes(content)


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as broken:
        raise SourceDownError("the source's answer is not JSON") from broken
