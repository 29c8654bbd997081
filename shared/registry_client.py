"""How a service asks the registry something over HTTP: with a token of its own.

From the closed list of synchronous calls (design.md): names for notices, and what the registry last
published, for ``events verify``. Each question takes a token of no more than its own rights.
"""

from base64 import b64encode
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx

from shared import logs
from shared.middleware import CORRELATION_HEADER, PURPOSE_HEADER

_SECONDS = 10.0


class RegistryDownError(ConnectionError):
    """The registry or the token issuer does not answer: it passes, and waiting helps."""


class RegistryRefusedError(RuntimeError):
    """Only an operator can help: no address, no such client, too few rights; the text is a code."""


class RegistryClient:
    """The registry's address, and where this service gets a token (client credentials)."""

    def __init__(
        self, *, registry_url: str, token_url: str, client_id: str, secret_file: Path | None = None
    ) -> None:
        self._registry_url = registry_url.rstrip("/")
        self._token_url = token_url
        self._client_id = client_id
        self._secret_file = secret_file

    @asynccontextmanager
    async def asking(
        self, *, scopes: str, purpose: str, divisions: Collection[str] = ()
    ) -> AsyncIterator["Asking"]:
        """A conversation under one token; ``purpose`` stands in the registry's audit log.

        Without ``divisions`` the token has those that the issuer knows of this client. Raises
        RegistryDownError and RegistryRefusedError.
        """
        if not (self._registry_url and self._token_url):
            raise RegistryRefusedError("registry_not_configured")
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            token = await self._token(client, scopes, divisions)
            headers = {
                "Authorization": f"Bearer {token}",
                CORRELATION_HEADER: logs.correlation_id(),
                PURPOSE_HEADER: purpose,
            }
            yield Asking(client, self._registry_url, headers)

    async def _token(
        self, client: httpx.AsyncClient, scopes: str, divisions: Collection[str]
    ) -> str:
        form = {"grant_type": "client_credentials", "client_id": self._client_id, "scope": scopes}
        if divisions:
            form["divisions"] = ",".join(sorted(divisions))
        try:
            answer = await client.post(self._token_url, data=form, headers=self._credentials())
        except httpx.TransportError as down:
            raise RegistryDownError("the token issuer does not answer") from down
        token: str = _answered(answer, "token")["access_token"]
        return token

    def _credentials(self) -> dict[str, str]:
        """As HTTP Basic (RFC 6749, 2.3.1); read every time: a new secret needs no restart."""
        if self._secret_file is None:
            return {}
        try:
            secret = self._secret_file.read_text().strip()
        except OSError as unreadable:
            raise RegistryRefusedError("client_secret_unreadable") from unreadable
        pair = f"{quote_plus(self._client_id)}:{quote_plus(secret)}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


class Asking:
    """A conversation with the registry (see RegistryClient.asking)."""

    def __init__(
        self, client: httpx.AsyncClient, registry_url: str, headers: dict[str, str]
    ) -> None:
        self._client = client
        self._registry_url = registry_url
        self._headers = headers

    async def __call__(
        self, method: str, path: str, *, params: dict[str, Any] | None = None, body: Any = None
    ) -> Any:
        """The answer's JSON. Raises RegistryDownError and RegistryRefusedError."""
        try:
            answer = await self._client.request(
                method, self._registry_url + path, params=params, json=body, headers=self._headers
            )
        except httpx.TransportError as down:
            raise RegistryDownError("the registry does not answer") from down
        return _answered(answer, "registry")


def _answered(answer: httpx.Response, who: str) -> Any:
    if answer.is_success:
        return answer.json()
    if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise RegistryDownError(f"the {who} answered {answer.status_code}")
    raise RegistryRefusedError(f"{who}_refused:{answer.status_code}")
